// What llama.cpp itself says of devices and memory: the one file that sees its staging header
// llama-ext.h. Any thread that owns the context.
#pragma once

#include <llama.h>

#include <cstddef>
#include <string>
#include <vector>

namespace r1 {

/** What lies on one device, in bytes. */
struct DeviceMemory {
    std::string device;         // ggml's name; CPU for all system memory
    std::size_t weight_bytes;   // of the model
    std::size_t cache_bytes;    // K and V cells
    std::size_t compute_bytes;  // scratch for the graph
};

/** llama.cpp's own account of a context's buffers and its model's, by device: first those the model
 * was given, then system memory. Devices that hold nothing are left out. */
std::vector<DeviceMemory> context_memory(const llama_context * context);

}  // namespace r1

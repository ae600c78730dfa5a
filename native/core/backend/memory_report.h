// Reports devices and memory as llama.cpp itself counts them. The only file that includes its
// staging header llama-ext.h. Any thread that owns the context.
#pragma once

#include <llama.h>

#include <cstddef>
#include <string>
#include <vector>

namespace r1 {

/** Memory used on one device, in bytes. */
struct DeviceMemory {
    std::string device;         // ggml's name; CPU for all system memory
    std::size_t weight_bytes;   // of the model
    std::size_t cache_bytes;    // K and V cells
    std::size_t compute_bytes;  // scratch for the graph
};

/**
 * llama.cpp's own account of the buffers of a context and its model, by device: first the devices
 * of the model, then system memory. Devices without buffers are left out.
 */
std::vector<DeviceMemory> context_memory(const llama_context * context);

}  // namespace r1

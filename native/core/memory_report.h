// What llama.cpp itself says of devices and memory: the one file that sees its staging header llama-ext.h. Any thread that owns the context.
#pragma once

#include <llama.h>

#include <cstddef>
#include <string>
#include <vector>

namespace r1 {

/** Bytes of a context over all devices. */
struct ContextMemory {
    std::size_t cache_bytes;    // K and V cells
    std::size_t compute_bytes;  // scratch for the graph
};

/** Reads llama.cpp's own account of a context's buffers. */
ContextMemory context_memory(const llama_context * context);

/** Names of the devices a model's layers were given to; "CPU" where there is no other. */
std::vector<std::string> model_devices(const llama_model * model);

}  // namespace r1

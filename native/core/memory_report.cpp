// What llama.cpp itself says of devices and memory: the one file that sees its staging header llama-ext.h. Any thread that owns the context.
#include "core/memory_report.h"

#include <llama-ext.h>

namespace r1 {

ContextMemory context_memory(const llama_context * context) {
    ContextMemory memory{0, 0};
    for (const auto & [type, data] : llama_get_memory_breakdown(context)) {
        memory.cache_bytes += data.context;
        memory.compute_bytes += data.compute;
    }
    return memory;
}

std::vector<std::string> model_devices(const llama_model * model) {
    std::vector<std::string> names;
    for (int i = 0; i < llama_model_n_devices(model); ++i) {
        names.emplace_back(ggml_backend_dev_name(llama_model_get_device(model, i)));
    }
    if (names.empty()) {
        names.emplace_back("CPU");
    }
    return names;
}

}  // namespace r1

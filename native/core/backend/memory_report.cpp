// Reports devices and memory as llama.cpp itself counts them. The only file that includes its
// staging header llama-ext.h. Any thread that owns the context.
#include "core/backend/memory_report.h"

#include <llama-ext.h>

#include <algorithm>

namespace r1 {

std::vector<DeviceMemory> context_memory(const llama_context * context) {
    std::vector<DeviceMemory> places;
    const llama_model * model = llama_get_model(context);
    for (int i = 0; i < llama_model_n_devices(model); ++i) {
        places.push_back({ggml_backend_dev_name(llama_model_get_device(model, i)), 0, 0, 0});
    }
    places.push_back({"CPU", 0, 0, 0});
    for (const auto & [type, data] : llama_get_memory_breakdown(context)) {
        // A GPU's pinned buffers are in system memory, and so are buffers of types without a
        // device.
        ggml_backend_dev_t device =
            ggml_backend_buft_is_host(type) ? nullptr : ggml_backend_buft_get_device(type);
        const std::string name =
            device == nullptr || ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU
                ? "CPU"
                : ggml_backend_dev_name(device);
        auto place = std::find_if(places.begin(), places.end(),
                                  [&](const DeviceMemory & one) { return one.device == name; });
        if (place == places.end()) {
            place = places.insert(places.end() - 1, {name, 0, 0, 0});  // by a tensor override
        }
        place->weight_bytes += data.model;
        place->cache_bytes += data.context;
        place->compute_bytes += data.compute;
    }
    const auto is_empty = [](const DeviceMemory & one) {
        return one.weight_bytes + one.cache_bytes + one.compute_bytes == 0;
    };
    places.erase(std::remove_if(places.begin(), places.end(), is_empty), places.end());
    return places;
}

}  // namespace r1

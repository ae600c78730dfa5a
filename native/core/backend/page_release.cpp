// Returns large blocks of memory to the system in small parts. Runs on the thread that frees the
// model or context.
#include "core/backend/page_release.h"

#include <ggml-backend.h>
#include <llama-kv-cache-iswa.h>
#include <llama-kv-cache.h>
#include <llama-memory-hybrid.h>
#include <llama-model.h>

#include <cstdint>
#include <set>
#include <stdexcept>
#include <string_view>

#include "core/platform/memory.h"

namespace r1 {
namespace {

/** The caches of K and V that a memory consists of. */
std::set<const llama_kv_cache *> caches_of(llama_memory_t memory) {
    std::set<const llama_kv_cache *> caches;
    if (const auto * plain = dynamic_cast<const llama_kv_cache *>(memory)) {
        caches.insert(plain);
    } else if (const auto * windows = dynamic_cast<const llama_kv_cache_iswa *>(memory)) {
        caches.insert(windows->get_base());
        caches.insert(windows->get_swa());
    } else if (const auto * hybrid = dynamic_cast<const llama_memory_hybrid *>(memory)) {
        caches.insert(hybrid->get_mem_attn());
    }
    caches.erase(nullptr);
    return caches;
}

std::set<ggml_backend_buffer_t> buffers_of(const llama_kv_cache & cache, int32_t layers) {
    std::set<ggml_backend_buffer_t> buffers;
    for (int32_t layer = 0; layer < layers; ++layer) {
        try {
            const ggml_tensor * keys = cache.get_k_storage(layer);
            if (keys != nullptr && keys->buffer != nullptr) {
                buffers.insert(keys->buffer);
            }
        } catch (const std::out_of_range &) {
            // A layer without cells in this cache.
        }
    }
    return buffers;
}

/** Only whole pages inside the buffer: the memory next to it belongs to others. */
void release_pages(ggml_backend_buffer_t buffer) {
    // "CPU", "CPU_Mapped", "CPU_REPACK". Pinned memory has another name and is left alone: its
    // driver uses it.
    if (std::string_view(ggml_backend_buffer_name(buffer)).rfind("CPU", 0) != 0) {
        return;
    }
    memory::drop_pages(ggml_backend_buffer_get_base(buffer), ggml_backend_buffer_get_size(buffer));
}

}  // namespace

void release_cell_pages(llama_memory_t memory, int32_t layers) {
    if (memory == nullptr) {
        return;
    }
    for (const llama_kv_cache * cache : caches_of(memory)) {
        for (ggml_backend_buffer_t buffer : buffers_of(*cache, layers)) {
            release_pages(buffer);
        }
    }
}

void release_weight_pages(const llama_model * model) {
    std::set<ggml_backend_buffer_t> buffers;
    for (const auto & [name, tensor] : model->tensors_by_name) {
        if (tensor->buffer != nullptr) {
            buffers.insert(tensor->buffer);
        }
    }
    for (ggml_backend_buffer_t buffer : buffers) {
        release_pages(buffer);
    }
}

}  // namespace r1

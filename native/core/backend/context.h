// Context: one llama_context with its thread pools. Checks every parameter that libllama could
// abort on. Engine thread only.
#pragma once

#include <memory>
#include <string>

#include "core/backend/memory_report.h"
#include "core/backend/model.h"
#include "core/backend/step_cost.h"
#include "core/backend/thread_pools.h"
#include "core/handles.h"

namespace r1 {

struct RopeConfig {
    std::string scaling = "file";
    float freq_base = 0;
    float freq_scale = 0;
    float yarn_ext_factor = -1;
    float yarn_attn_factor = -1;
    float yarn_beta_fast = -1;
    float yarn_beta_slow = -1;
    uint32_t yarn_orig_ctx = 0;
};

struct EngineConfig {
    uint32_t context_size = 0;
    uint32_t batch_size = 2048;
    uint32_t ubatch_size = 512;
    uint32_t sequences = 1;       // the guests' one included
    bool guest_sequence = false;  // the last sequence is for guests; needs one pool of cells
    bool kv_unified = true;
    int32_t threads = 1;
    int32_t threads_batch = 1;
    std::string cache_type_k = "f16";
    std::string cache_type_v = "f16";
    std::string flash_attention = "auto";
    bool offload_kqv = true;
    bool op_offload = true;
    std::string priority = "normal";
    uint32_t poll = 50;
    RopeConfig rope;
    uint32_t max_queue = 0;
    bool prefix_cache = true;
    uint32_t max_draft = 0;
    bool deterministic = false;  // one sequence a decode, every prompt computed again: batch shapes
                                 // change the last bits of logits
    bool warmup = true;
    std::size_t session_piece_bytes = 8 << 20;  // of a saved session, between two steps; tests take
                                                // less
    StepCost::Table step_costs;  // what steps take by their rows, instead of what they are seen to
                                 // take; empty: seen, or typical where `deterministic`
};

struct EngineInfo {
    uint32_t context_size;
    uint32_t sequence_context;
    uint32_t batch_size;
    uint32_t ubatch_size;
    uint32_t sequences;
    std::string cache_type_k;
    std::string cache_type_v;
    std::size_t cache_bytes;
    std::size_t compute_bytes;
    std::vector<DeviceMemory> memory;
    std::string priority;
};

/** Any thread. @throws Failure MODEL_UNSUPPORTED for encoders, encoder-decoders and diffusion. */
void check_generates(const Model & model);

/**
 * Throws the Failures of Context for anything that libllama would abort on, before anything is
 * made.
 */
void check_engine_config(const Model & model, const EngineConfig & config);

class Context {
public:
    /**
     * Throws Failure: InvalidArgument, CacheTypeUnsupported, OutOfMemory with llama.cpp's own
     * words. `abort` is polled by the CPU backend before every graph node and may come from a
     * worker thread. Contexts of one engine thread share `pools`.
     */
    Context(std::shared_ptr<Model> model, const EngineConfig & config,
            std::shared_ptr<ThreadPools> pools, ggml_abort_callback abort, void * abort_data);
    Context(const Context &) = delete;
    Context & operator=(const Context &) = delete;
    /** Returns the cells' memory to the system in parts, then frees the context. */
    ~Context();

    llama_context * handle() const { return context_.get(); }
    llama_memory_t memory() const { return llama_get_memory(context_.get()); }
    const EngineInfo & info() const { return info_; }
    const std::shared_ptr<ThreadPools> & pools() const { return pools_; }

    /** Calls llama_decode with as many threads as the system allows. */
    int32_t decode(const llama_batch & batch);

    /** Decodes one batch of BOS and EOS and clears the cache, so that the first request finds
     * everything in place. */
    void warm_up();

private:
    // The order of destruction matters: first the context, then its pools, then the model.
    std::shared_ptr<Model> model_;
    std::shared_ptr<ThreadPools> pools_;
    ContextHandle context_;
    EngineInfo info_;
};

}  // namespace r1

// Context: one llama_context with its thread pools. Checks every parameter that libllama could
// abort on. Engine thread only.
#include "core/backend/context.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/backend/backend.h"
#include "core/backend/log_hub.h"
#include "core/backend/memory_report.h"
#include "core/backend/page_release.h"
#include "core/failure.h"

namespace r1 {
namespace {

void check(bool good, const std::string & what) {
    if (!good) {
        throw Failure(ErrorCode::InvalidArgument, what);
    }
}

// llama.cpp's own list (common/arg.cpp, kv_cache_types): another type makes its scheduler abort.
ggml_type cache_type(const std::string & name) {
    constexpr std::array<ggml_type, 9> allowed = {GGML_TYPE_F32,    GGML_TYPE_F16,  GGML_TYPE_BF16,
                                                  GGML_TYPE_Q8_0,   GGML_TYPE_Q4_0, GGML_TYPE_Q4_1,
                                                  GGML_TYPE_IQ4_NL, GGML_TYPE_Q5_0, GGML_TYPE_Q5_1};
    const ggml_type type = backend::type_by_name(name);
    if (std::find(allowed.begin(), allowed.end(), type) == allowed.end()) {
        throw Failure(ErrorCode::CacheTypeUnsupported,
                      "`" + name +
                          "` is no cache type of llama.cpp. Use f32, f16, bf16, q8_0, q4_0, q4_1, "
                          "iq4_nl, q5_0 or q5_1.");
    }
    return type;
}

llama_flash_attn_type flash_attention_of(const std::string & name) {
    if (name == "auto") return LLAMA_FLASH_ATTN_TYPE_AUTO;
    if (name == "on") return LLAMA_FLASH_ATTN_TYPE_ENABLED;
    if (name == "off") return LLAMA_FLASH_ATTN_TYPE_DISABLED;
    throw Failure(ErrorCode::InvalidArgument,
                  "`flashAttention` is auto, on or off, not " + name + ".");
}

llama_rope_scaling_type rope_scaling_of(const std::string & name) {
    if (name == "file") return LLAMA_ROPE_SCALING_TYPE_UNSPECIFIED;
    if (name == "none") return LLAMA_ROPE_SCALING_TYPE_NONE;
    if (name == "linear") return LLAMA_ROPE_SCALING_TYPE_LINEAR;
    if (name == "yarn") return LLAMA_ROPE_SCALING_TYPE_YARN;
    if (name == "longrope") return LLAMA_ROPE_SCALING_TYPE_LONGROPE;
    throw Failure(ErrorCode::InvalidArgument,
                  "`rope.scaling` is file, none, linear, yarn or longrope, not " + name + ".");
}

// Values of one head's K or V row, as llama.cpp reads them from the file.
long head_size(const Model & model, const char * key) {
    const std::string value = model.metadata_value(model.info().architecture + key);
    if (!value.empty()) {
        return std::atol(value.c_str());
    }
    const int32_t heads = llama_model_n_head(model.handle());
    return heads > 0 ? llama_model_n_embd(model.handle()) / heads : 0;
}

void check_cache_types(const Model & model, ggml_type k, ggml_type v, llama_flash_attn_type flash) {
    const auto refuse = [](const std::string & what) {
        throw Failure(ErrorCode::CacheTypeUnsupported, what);
    };
    if (model.info().is_mla && k != v) {
        refuse(std::string("This model has multi-head latent attention: V is a view of the K "
                           "cache, so both have one type. Set `cacheTypeV` to \"") +
               ggml_type_name(k) + "\" too, or leave it out.");
    }
    if (ggml_is_quantized(v) && flash == LLAMA_FLASH_ATTN_TYPE_DISABLED) {
        refuse(std::string("A V cache of type ") + ggml_type_name(v) +
               " needs flash attention. Set `flashAttention` to \"auto\", or choose f16, bf16 or "
               "f32.");
    }
    const auto check_row = [&](ggml_type type, long row, const char * name) {
        if (row > 0 && row % ggml_blck_size(type) != 0) {
            refuse(std::string(name) + " " + ggml_type_name(type) + " stores blocks of " +
                   std::to_string(ggml_blck_size(type)) + " values, and this model's rows of " +
                   std::to_string(row) + " do not divide into them. Choose f16, bf16 or f32.");
        }
    };
    check_row(k, head_size(model, ".attention.key_length"), "K cache type");
    if (!model.info().is_mla) {
        check_row(v, head_size(model, ".attention.value_length"), "V cache type");
    }
}

// Architectures for which llama.cpp makes no memory (llama_model::create_memory): they process a
// whole text at once and cannot generate.
bool is_encoder(const std::string & architecture) {
    constexpr std::array<const char *, 10> encoders = {
        "bert",         "modern-bert", "nomic-bert",      "nomic-bert-moe", "neo-bert",
        "jina-bert-v2", "eurobert",    "gemma-embedding", "jina-bert-v3",   "wavtokenizer-dec"};
    return std::find(encoders.begin(), encoders.end(), architecture) != encoders.end();
}

/**
 * llama.cpp clamps the batch size to the requested context size before it rounds the context up,
 * and aborts on a larger batch. If the clamped batch could not hold a row for every sequence and
 * its guesses, the rounded-up context size is requested instead.
 */
uint32_t context_cells(const EngineConfig & config) {
    const uint32_t rows = config.sequences * (1 + config.max_draft);
    if (config.context_size == 0 || config.context_size >= rows) {
        return config.context_size;
    }
    const auto rounded = [](uint32_t cells) { return (cells + 255) / 256 * 256; };
    const uint32_t all = rounded(config.context_size);
    return config.kv_unified ? all : rounded(all / config.sequences) * config.sequences;
}

llama_context_params to_llama(const Model & model, const EngineConfig & config) {
    check(!model.vocab_only(),
          "This model was loaded for its vocabulary alone. Load it with its weights to generate.");
    check_generates(model);
    check(config.sequences >= 1 && config.sequences <= llama_max_parallel_sequences(),
          "`sequences` is 1 to " + std::to_string(llama_max_parallel_sequences()) + ".");
    check(config.batch_size >= 1 && config.ubatch_size >= 1 && config.batch_size <= 1u << 20,
          "`batchSize` and `ubatchSize` are at least 1.");
    check(!config.guest_sequence || (config.kv_unified && config.sequences > 1),
          "A guest sequence needs one pool of cells.");
    check(config.batch_size >= config.sequences * (1 + config.max_draft),
          "`batchSize` must hold one token of every sequence and its draft.");
    check(config.threads >= 1 && config.threads <= GGML_MAX_N_THREADS &&
              config.threads_batch >= 1 && config.threads_batch <= GGML_MAX_N_THREADS,
          "`threads` are 1 to 512.");
    check(config.context_size == 0 || config.context_size <= 1u << 30,
          "`contextSize` is too large.");

    llama_context_params params = llama_context_default_params();
    params.n_ctx = context_cells(config);
    params.n_batch = config.batch_size;
    params.n_ubatch = std::min(config.ubatch_size, config.batch_size);
    params.n_seq_max = config.sequences;
    // Logits only for sampled rows: the buffer costs n_vocab floats a row.
    params.n_outputs_max = config.sequences * (1 + config.max_draft);
    params.n_outputs_max_per_seq = 1 + config.max_draft;
    params.n_threads = config.threads;
    params.n_threads_batch = config.threads_batch;
    params.flash_attn_type = flash_attention_of(config.flash_attention);
    params.type_k = cache_type(config.cache_type_k);
    params.type_v = cache_type(config.cache_type_v);
    params.rope_scaling_type = rope_scaling_of(config.rope.scaling);
    params.rope_freq_base = config.rope.freq_base;
    params.rope_freq_scale = config.rope.freq_scale;
    params.yarn_ext_factor = config.rope.yarn_ext_factor;
    params.yarn_attn_factor = config.rope.yarn_attn_factor;
    params.yarn_beta_fast = config.rope.yarn_beta_fast;
    params.yarn_beta_slow = config.rope.yarn_beta_slow;
    params.yarn_orig_ctx = config.rope.yarn_orig_ctx;
    params.offload_kqv = config.offload_kqv;
    params.op_offload = config.op_offload;
    // For one sequence both layouts have the same cells, but with one pool each decode iterates
    // over all 256 x 256 pairs of sequences (llama_batch_allocr::init).
    params.kv_unified = config.kv_unified && config.sequences > 1;
    params.no_perf = true;
    check_cache_types(model, params.type_k, params.type_v, params.flash_attn_type);
    return params;
}

}  // namespace

void check_generates(const Model & model) {
    const auto refuse = [&](const std::string & what) {
        throw Failure(ErrorCode::ModelUnsupported,
                      "A model of the architecture " + model.info().architecture + " " + what +
                          " Load a model that generates text token by token.");
    };
    const std::string & name = model.info().architecture;
    if (llama_model_has_encoder(model.handle()) && model.info().has_decoder) {
        refuse("reads its prompt with an encoder, which this library does not run.");
    }
    if (!model.info().has_decoder || is_encoder(name) ||
        model.metadata_value(name + ".attention.causal") == "false") {
        refuse("is an encoder: it makes embeddings and generates no text.");
    }
    if (llama_model_is_diffusion(model.handle())) {
        refuse("generates by diffusion, which this library does not do.");
    }
}

void check_engine_config(const Model & model, const EngineConfig & config) {
    static_cast<void>(to_llama(model, config));
}

Context::Context(std::shared_ptr<Model> model, const EngineConfig & config,
                 std::shared_ptr<ThreadPools> pools, ggml_abort_callback abort, void * abort_data)
    : model_(std::move(model)), pools_(std::move(pools)) {
    llama_context_params params = to_llama(*model_, config);
    params.abort_callback = abort;
    params.abort_callback_data = abort_data;

    log_hub::ThreadCapture capture;
    std::string thrown;
    try {
        std::lock_guard<std::mutex> lock(model_->context_mutex());
        const auto registry = backend::read_registry();
        context_.reset(llama_init_from_model(model_->handle(), params));
    } catch (const std::exception & error) {
        thrown = error.what();
    }
    if (context_ == nullptr) {
        const std::string reason = thrown.empty() ? capture.errors() : thrown;
        throw Failure(
            ErrorCode::OutOfMemory,
            "llama.cpp could not make a context of " + std::to_string(config.context_size) +
                " tokens: " + (reason.empty() ? "no reason given" : reason) +
                ". Try a smaller `contextSize`, a quantised cache type, or fewer `gpuLayers`.");
    }
    check(llama_n_batch(context_.get()) >= config.sequences,
          "`contextSize` must hold one token of every sequence.");
    pools_->attach(context_.get());
    const std::vector<DeviceMemory> memory = context_memory(context_.get());
    std::size_t cache_bytes = 0;
    std::size_t compute_bytes = 0;
    for (const DeviceMemory & place : memory) {
        cache_bytes += place.cache_bytes;
        compute_bytes += place.compute_bytes;
    }
    info_ = {llama_n_ctx(context_.get()),
             llama_n_ctx_seq(context_.get()),
             llama_n_batch(context_.get()),
             llama_n_ubatch(context_.get()),
             config.sequences,
             ggml_type_name(params.type_k),
             ggml_type_name(params.type_v),
             cache_bytes,
             compute_bytes,
             memory,
             pools_->priority()};
}

Context::~Context() {
    if (context_ != nullptr) {
        llama_synchronize(context_.get());
        release_cell_pages(memory(), llama_model_n_layer(model_->handle()));
    }
}

int32_t Context::decode(const llama_batch & batch) {
    pools_->prepare(context_.get(), batch.n_tokens);
    return llama_decode(context_.get(), batch);
}

void Context::warm_up() {
    const llama_token begin = llama_vocab_bos(model_->vocab().handle());
    // One token reads all weights, as two would, in little more than half the time.
    llama_token token = model_->vocab().contains(begin) ? begin : 0;
    decode(llama_batch_get_one(&token, 1));
    llama_synchronize(context_.get());
    // Frees the cells. Zeroing them too would write to the whole cache, which was zeroed when it
    // was made.
    llama_memory_clear(memory(), false);
}

}  // namespace r1

// Importance matrix: measures how strongly each input column of each weight is used by running text
// through a model. Runs on its own thread.
#include "core/files/imatrix.h"

#include <ggml-backend.h>

#include <cmath>
#include <cstring>
#include <map>

#include "core/backend/backend.h"
#include "core/backend/context.h"
#include "core/backend/log_hub.h"
#include "core/failure.h"
#include "core/platform/thread_supply.h"

namespace r1 {
namespace {

// Fewer rows than this come from single tokens, not from text (llama-imatrix leaves them out too).
constexpr int64_t fewest_rows = 16;

// A weight may be copied to a device under a name such as "CUDA0#blk.0.ffn_up.weight#0".
std::string plain_name(const char * name) {
    const std::string text = name;
    const std::size_t first = text.find('#');
    if (first == std::string::npos) {
        return text;
    }
    const std::size_t last = text.find('#', first + 1);
    return text.substr(first + 1, last == std::string::npos ? std::string::npos : last - first - 1);
}

class Collector {
public:
    // ggml's scheduler asks before each node whether its result is wanted, and calls again when it
    // is ready. True in the second call: continue.
    static bool on_node(ggml_tensor * node, bool ask, void * data) {
        auto & collector = *static_cast<Collector *>(data);
        if (ask) {
            return wanted(node);
        }
        try {
            collector.collect(node);
            return true;
        } catch (const std::exception & error) {
            collector.error_ = error.what();  // C code is on the stack
            return false;
        }
    }

    const std::string & error() const { return error_; }

    std::vector<ImportanceSums> results() {
        std::vector<ImportanceSums> all;
        for (auto & [name, entry] : entries_) {
            all.push_back({name, std::move(entry.sums), std::move(entry.counts)});
        }
        return all;
    }

private:
    struct Entry {
        std::vector<float> sums;
        std::vector<float> counts;
    };

    static bool wanted(const ggml_tensor * node) {
        if (node->op == GGML_OP_MUL_MAT_ID) {
            return node->src[1]->type == GGML_TYPE_F32;
        }
        const bool matrix = node->op == GGML_OP_MUL_MAT && node->src[1]->type == GGML_TYPE_F32 &&
                            node->src[1]->ne[1] >= fewest_rows;
        return matrix && plain_name(node->src[0]->name).rfind("blk.", 0) == 0;
    }

    Entry & entry(const ggml_tensor * weight, int64_t columns, int64_t matrices,
                  std::size_t counts) {
        Entry & found = entries_[plain_name(weight->name)];
        if (found.sums.empty()) {
            found.sums.resize(static_cast<std::size_t>(columns * matrices), 0.0f);
            found.counts.resize(counts, 0.0f);
        }
        if (found.sums.size() != static_cast<std::size_t>(columns * matrices) ||
            found.counts.size() != counts) {
            throw Failure(ErrorCode::Internal,
                          std::string("The weight ") + weight->name + " is used in two shapes.");
        }
        return found;
    }

    static void add_squares(const char * row, int64_t columns, float * sums) {
        const auto * values = reinterpret_cast<const float *>(row);
        for (int64_t i = 0; i < columns; ++i) {
            sums[i] += values[i] * values[i];
        }
    }

    void collect(const ggml_tensor * node) {
        const ggml_tensor * input = node->src[1];
        inputs_.resize(ggml_nbytes(input));
        ggml_backend_tensor_get(input, inputs_.data(), 0, inputs_.size());
        if (node->op == GGML_OP_MUL_MAT_ID) {
            collect_experts(node->src[0], input, node->src[2]);
        } else {
            collect_dense(node->src[0], input);
        }
    }

    // weight: columns x rows x matrices; input: columns x tokens x matrices (or a multiple of
    // them).
    void collect_dense(const ggml_tensor * weight, const ggml_tensor * input) {
        const int64_t columns = input->ne[0];
        const int64_t matrices = weight->ne[2] * weight->ne[3];
        Entry & target = entry(weight, columns, matrices, 1);
        for (int64_t i3 = 0; i3 < input->ne[3]; ++i3) {
            for (int64_t i2 = 0; i2 < input->ne[2]; ++i2) {
                const int64_t matrix = (i3 % weight->ne[3]) * weight->ne[2] + i2 % weight->ne[2];
                for (int64_t i1 = 0; i1 < input->ne[1]; ++i1) {
                    const char * row = inputs_.data() +
                                       static_cast<std::size_t>(i1) * input->nb[1] +
                                       static_cast<std::size_t>(i2) * input->nb[2] +
                                       static_cast<std::size_t>(i3) * input->nb[3];
                    add_squares(row, columns, target.sums.data() + matrix * columns);
                }
            }
        }
        target.counts[0] += static_cast<float>(ggml_nrows(input) / matrices);
    }

    // weight: columns x rows x experts; input: columns x (1 or experts used) x tokens; ids: experts
    // used x tokens.
    void collect_experts(const ggml_tensor * weight, const ggml_tensor * input,
                         const ggml_tensor * ids) {
        const int64_t columns = input->ne[0];
        const int64_t experts = weight->ne[2];
        Entry & target = entry(weight, columns, experts, static_cast<std::size_t>(experts));
        ids_.resize(ggml_nbytes(ids));
        ggml_backend_tensor_get(ids, ids_.data(), 0, ids_.size());
        // Slot by slot: the order in which llama-imatrix adds, so that the sums are the same to the
        // last bit.
        for (int64_t slot = 0; slot < ids->ne[0]; ++slot) {
            for (int64_t token = 0; token < ids->ne[1]; ++token) {
                int32_t expert = 0;
                std::memcpy(&expert,
                            ids_.data() + static_cast<std::size_t>(token) * ids->nb[1] +
                                static_cast<std::size_t>(slot) * ids->nb[0],
                            sizeof(expert));
                if (expert < 0 || expert >= experts) {
                    throw Failure(ErrorCode::Internal,
                                  std::string("The weight ") + weight->name +
                                      " was asked for an expert it does not have.");
                }
                const char * row = inputs_.data() +
                                   static_cast<std::size_t>(slot % input->ne[1]) * input->nb[1] +
                                   static_cast<std::size_t>(token) * input->nb[2];
                add_squares(row, columns, target.sums.data() + expert * columns);
                target.counts[static_cast<std::size_t>(expert)] += 1.0f;
            }
        }
    }

    std::map<std::string, Entry> entries_;
    std::vector<char> inputs_;
    std::vector<char> ids_;
    std::string error_;
};

void check(const Model & model, const ImatrixConfig & config) {
    const auto refuse = [](const std::string & what) {
        throw Failure(ErrorCode::InvalidArgument, what);
    };
    if (model.vocab_only()) {
        refuse("An importance matrix needs a model with its weights.");
    }
    check_generates(model);
    if (config.chunk < fewest_rows || config.chunk > 1 << 20) {
        refuse("`chunkSize` is 16 to 1048576 tokens.");
    }
    if (config.tokens.size() < static_cast<std::size_t>(config.chunk)) {
        refuse("The text has " + std::to_string(config.tokens.size()) +
               " tokens, less than one chunk of " + std::to_string(config.chunk) +
               ". Give more text, or a smaller `chunkSize`.");
    }
    for (const llama_token token : config.tokens) {
        if (!model.vocab().contains(token)) {
            refuse("Token " + std::to_string(token) + " is outside the vocabulary.");
        }
    }
}

}  // namespace

std::vector<ImportanceSums> compute_imatrix(const std::shared_ptr<Model> & model,
                                            const ImatrixConfig & config,
                                            const std::atomic<bool> & cancelled,
                                            const std::function<void(double)> & progress) {
    check(*model, config);
    Collector collector;
    const auto chunk = static_cast<uint32_t>(config.chunk);
    llama_context_params params = llama_context_default_params();
    params.n_ctx = chunk;
    params.n_batch = chunk;
    params.n_ubatch = std::min(chunk, 512u);
    params.n_outputs_max =
        chunk;  // logits of every token, so that the last layer's feed-forward sees all of them
    params.n_threads = config.threads;
    params.n_threads_batch = config.threads;
    // Between two nodes of a graph: one chunk of a large model takes minutes.
    params.abort_callback = [](void * data) {
        return static_cast<const std::atomic<bool> *>(data)->load(std::memory_order_relaxed);
    };
    params.abort_callback_data = const_cast<std::atomic<bool> *>(&cancelled);
    thread_supply::require(static_cast<std::size_t>(config.threads - 1),
                           "for " + std::to_string(config.threads) + " workers");
    params.cb_eval = &Collector::on_node;
    params.cb_eval_user_data = &collector;
    log_hub::ThreadCapture capture;
    ContextHandle context;
    {
        std::lock_guard<std::mutex> lock(model->context_mutex());
        const auto registry = backend::read_registry();
        context.reset(llama_init_from_model(model->handle(), params));
    }
    if (context == nullptr) {
        throw Failure(ErrorCode::OutOfMemory, "llama.cpp could not make a context of " +
                                                  std::to_string(chunk) +
                                                  " tokens: " + capture.errors());
    }
    const llama_token bos = llama_vocab_get_add_bos(model->vocab().handle())
                                ? llama_vocab_bos(model->vocab().handle())
                                : LLAMA_TOKEN_NULL;
    const std::size_t chunks = config.tokens.size() / chunk;
    std::vector<llama_token> tokens(chunk);
    std::vector<int8_t> logits(chunk, 1);
    for (std::size_t i = 0; i < chunks; ++i) {
        if (cancelled.load()) {
            throw Failure(ErrorCode::Aborted, "Computing the importance matrix was aborted.");
        }
        const auto first = config.tokens.begin() + static_cast<std::ptrdiff_t>(i * chunk);
        std::copy(first, first + config.chunk, tokens.begin());
        if (model->vocab().contains(bos)) {
            tokens[0] = bos;  // each chunk is a text of its own
        }
        llama_memory_clear(llama_get_memory(context.get()), true);
        llama_batch batch = llama_batch_get_one(tokens.data(), config.chunk);
        batch.logits = logits.data();
        const int32_t code = llama_decode(context.get(), batch);
        if (code != 0 && cancelled.load()) {
            throw Failure(ErrorCode::Aborted, "Computing the importance matrix was aborted.");
        }
        if (code != 0 || !collector.error().empty()) {
            throw Failure(
                ErrorCode::DecodeFailed,
                "The model could not decode chunk " + std::to_string(i + 1) + ": " +
                    (collector.error().empty() ? "llama_decode returned " + std::to_string(code)
                                               : collector.error()));
        }
        llama_synchronize(context.get());
        progress(static_cast<double>(i + 1) / static_cast<double>(chunks));
    }
    std::vector<ImportanceSums> results = collector.results();
    for (const ImportanceSums & entry : results) {
        for (const float sum : entry.sums) {
            if (!std::isfinite(sum)) {
                throw Failure(ErrorCode::DecodeFailed, "The weights of " + entry.name +
                                                           " get inputs that are no numbers. Check "
                                                           "the model file with `checkTensors`.");
            }
        }
    }
    return results;
}

}  // namespace r1

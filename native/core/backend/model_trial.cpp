// model_trial: checks in a child process whether llama.cpp aborts on a model. Loads it without its
// data, makes its context and, for small files, decodes. Main thread of that process.
#include "core/backend/model_trial.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "core/backend/thread_pools.h"
#include "core/platform/process.h"

namespace r1::model_trial {
namespace {

// Cells of a sequence in the context that decodes. More would use memory and show nothing new.
constexpr uint32_t cells = 256;
// Sequences in that context: one alone and several together build different graphs.
constexpr uint32_t max_sequences = 4;

void use_vocabulary(const Vocab & vocab) {
    for (const char * text : {"Hello, world! 12345", "\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x99\x82",
                              "\n\n  \t<a> \"x\": [1, 2] \x01", " "}) {
        try {
            for (const bool special : {false, true}) {
                const std::vector<llama_token> ids =
                    special ? vocab.tokenize_special(text) : vocab.tokenize_safe(text);
                static_cast<void>(vocab.detokenize(ids.data(), ids.size()));
            }
        } catch (const std::exception &) {
            // An ordinary error: the real load or the request reports it.
        }
    }
}

std::shared_ptr<Model> load(const ModelConfig & config) {
    const std::atomic<bool> cancelled{false};
    return Model::load(config, cancelled, [](float) {});
}

// A batch of `rows` tokens for each of `sequences`, all at position `first` and on.
class Tokens {
public:
    Tokens(llama_token token, llama_pos first, uint32_t rows, uint32_t sequences)
        : batch_(llama_batch_init(static_cast<int32_t>(rows * sequences), 0, 1)) {
        for (uint32_t sequence = 0; sequence < sequences; ++sequence) {
            for (uint32_t row = 0; row < rows; ++row) {
                const int32_t i = batch_.n_tokens++;
                batch_.token[i] = token;
                batch_.pos[i] = first + static_cast<llama_pos>(row);
                batch_.n_seq_id[i] = 1;
                batch_.seq_id[i][0] = static_cast<llama_seq_id>(sequence);
                batch_.logits[i] = row + 1 == rows ? 1 : 0;
            }
        }
    }
    ~Tokens() { llama_batch_free(batch_); }
    Tokens(const Tokens &) = delete;
    Tokens & operator=(const Tokens &) = delete;

    const llama_batch & batch() const { return batch_; }

private:
    llama_batch batch_;
};

// The operations of the engine on a cache: a prompt, single tokens, removing, copying, saving.
void decode_a_little(Context & context, const Model & model, uint32_t sequences) {
    llama_context * handle = context.handle();
    const llama_token begin = llama_vocab_bos(model.vocab().handle());
    const llama_token token = model.vocab().contains(begin) ? begin : 0;
    const auto decode = [&](llama_pos first, uint32_t rows, uint32_t of) {
        const Tokens tokens(token, first, rows, of);
        const int32_t code = context.decode(tokens.batch());
        if (code == 0) {
            llama_synchronize(handle);
            static_cast<void>(llama_get_logits_ith(handle, -1));
        }
        return code == 0;
    };
    // A batch holds one row of each sequence at least, and perhaps no more.
    const uint32_t most = llama_n_batch(handle);
    const uint32_t prompt = std::min<uint32_t>(5, most);
    if (!decode(0, prompt, 1) || !decode(static_cast<llama_pos>(prompt), 1, 1)) {
        return;  // an ordinary error, which every request gets as well
    }
    llama_memory_seq_rm(context.memory(), 0, 1, -1);
    llama_memory_seq_rm(context.memory(), 0, -1, -1);
    const uint32_t rows = std::min<uint32_t>(3, most / sequences);
    if (sequences > 1 && decode(0, rows, sequences) &&
        decode(static_cast<llama_pos>(rows), 1, sequences)) {
        llama_memory_seq_rm(context.memory(), 1, -1, -1);
        llama_memory_seq_cp(context.memory(), 0, 1, -1, -1);
    }
    std::vector<uint8_t> state(llama_state_seq_get_size(handle, 0));
    llama_state_seq_get_data(handle, state.data(), state.size(), 0);
    llama_memory_clear(context.memory(), false);
}

std::unique_ptr<Context> make_context(const std::shared_ptr<Model> & model, EngineConfig config) {
    config.threads = 1;
    config.threads_batch = 1;
    return std::make_unique<Context>(
        model, config, std::make_shared<ThreadPools>(1, 1, "normal", 0), nullptr, nullptr);
}

}  // namespace

void end_with_parent() {
    process::die_quietly();
    try {
        std::thread([] {
            process::wait_for_parent();
            process::end_now(1);
        }).detach();
    } catch (const std::system_error &) {
        // If the parent is alive, its deadline ends this process too.
    }
}

void run(ModelConfig config, const EngineConfig * engine, bool data) {
    config.cpu_only = true;
    config.gpu_layers = 0;
    config.split_mode = "layer";
    config.devices.clear();
    config.tensor_split.clear();
    config.tensor_overrides.clear();
    config.check_tensors = false;
    config.load_mode = "none";
    {
        ModelConfig empty = config;
        empty.without_data = !config.vocab_only;
        const std::shared_ptr<Model> model = load(empty);
        use_vocabulary(model->vocab());
        if (engine == nullptr || config.vocab_only) {
            return;
        }
        make_context(model, *engine);
    }
    if (!data) {
        return;
    }
    config.load_mode = "auto";
    const std::shared_ptr<Model> model = load(config);
    EngineConfig small = *engine;
    small.sequences = std::min(small.sequences, max_sequences);
    small.context_size = cells * small.sequences;
    small.batch_size = std::min(small.batch_size, small.context_size);
    small.ubatch_size = std::min(small.ubatch_size, small.batch_size);
    small.max_draft = 0;
    decode_a_little(*make_context(model, small), *model, small.sequences);
}

}  // namespace r1::model_trial

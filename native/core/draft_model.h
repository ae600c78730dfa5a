// DraftModel: a small model that guesses the next tokens of a large one, for several sequences at once. Engine thread only.
#pragma once

#include <memory>
#include <vector>

#include "core/cache.h"
#include "core/context.h"
#include "core/model.h"

namespace r1 {

class DraftModel {
public:
    /** What to guess for one sequence. */
    struct Job {
        llama_seq_id sequence;
        const std::vector<llama_token> * feed;  // all tokens so far
        std::size_t most;                       // guesses wanted
        std::vector<llama_token> guesses;       // filled by propose()
    };

    /** `config` is the large model's: the draft context has its size and sequences. Throws Failure as Context does. */
    DraftModel(std::shared_ptr<Model> model, EngineConfig config, std::shared_ptr<ThreadPools> pools, ggml_abort_callback abort, void * abort_data);

    /** Fills `guesses` of each job, most likely tokens first to last, stopping early where the draft model is unsure. Never fails: no guess is always right. */
    void propose(std::vector<Job> & jobs);

    /** Throws Failure(InvalidArgument) if the two models do not speak the same tokens. */
    static void check_same_vocabulary(const Vocab & large, const Vocab & small);

private:
    struct Item {
        llama_seq_id sequence;
        llama_token token;
        bool logits;
    };

    bool catch_up(std::vector<Job> & jobs);
    bool decode(const std::vector<Item> & items);
    llama_token most_likely(int32_t index, float & probability) const;

    std::shared_ptr<Model> model_;
    Context context_;
    Cache cache_;
};

}  // namespace r1

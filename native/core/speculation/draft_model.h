// DraftModel: a small model that guesses the next tokens of a large one, for several sequences at
// once. Engine thread only.
#pragma once

#include <memory>
#include <vector>

#include "core/backend/cache.h"
#include "core/backend/context.h"
#include "core/backend/model.h"

namespace r1 {

class DraftModel {
public:
    /** What to guess for one sequence. */
    struct Job {
        llama_seq_id sequence;
        uint32_t request;                       // whose sequence it is now
        const std::vector<llama_token> * feed;  // all tokens so far
        std::size_t most;                       // guesses wanted
        std::vector<llama_token> guesses;       // filled by propose()
    };

    /** `config` is the large model's: the draft context has its size and sequences. Throws Failure
     * as Context does. */
    DraftModel(std::shared_ptr<Model> model, const EngineConfig & config,
               std::shared_ptr<ThreadPools> pools, ggml_abort_callback abort, void * abort_data);

    /**
     * Fills `guesses` of each job, most likely tokens first to last, stopping early where the draft
     * model is unsure. Never fails: returning no guess is always correct. Computes at most one
     * micro-batch of the tokens it is behind, so that running streams do not wait for a long
     * prompt. Guesses nothing for a sequence until it has caught up with it.
     */
    void propose(std::vector<Job> & jobs);

    /** Tokens of a sequence that it has taken in. */
    std::size_t length(llama_seq_id sequence) const { return cache_.length(sequence); }

    /** Throws Failure(InvalidArgument) if the two models do not use the same tokens. */
    static void check_same_vocabulary(const Vocab & large, const Vocab & small);

private:
    struct Item {
        llama_seq_id sequence;
        llama_token token;
        bool logits;
    };

    std::size_t remaining(const Job & job) const {
        return job.feed->size() - 1 - cache_.length(job.sequence);
    }
    bool make_room(const std::vector<Job> & jobs);
    void keep_own(const Job & job);
    bool catch_up(std::vector<Job> & jobs);
    bool decode(const std::vector<Item> & items);
    llama_token most_likely(int32_t index, float & probability) const;

    std::shared_ptr<Model> model_;
    Context context_;
    Cache cache_;
    bool deterministic_;  // guesses depend only on their own request: separate cells, nothing kept
                          // from the previous request
    std::vector<uint32_t> owners_;  // by sequence: the request it last guessed for
};

}  // namespace r1

// Batcher: fills one llama_batch: the next token of every running sequence first, then prompts in
// chunks. Engine thread only.
#pragma once

#include <cstdint>
#include <vector>

#include <llama.h>

#include "core/backend/cache.h"
#include "core/backend/step_cost.h"
#include "core/engine/prompt_pace.h"
#include "core/engine/scheduler.h"
#include "core/speculation/draft_model.h"

namespace r1 {

/** The part of a batch that belongs to one sequence. */
struct Slice {
    Sequence * sequence;
    std::size_t first;    // index of its first token in the batch
    std::size_t count;    // its tokens
    std::size_t drafted;  // of these, guesses at the end
    bool samples;         // its last token (with guesses: every token) yields logits
};

class Batcher {
public:
    struct Limits {
        uint32_t chunk;  // tokens of a step (n_ubatch): the maximum that a running stream, or an
                         // abort on a device, waits for
        uint32_t batch;  // maximum tokens of a llama_decode (n_batch), at least one a sequence
        uint32_t max_draft;  // guesses for one sequence
        int32_t vocab_size;  // a draft model may know ids beyond it
        bool deterministic;  // one sequence a step, and no clock influences its content
    };

    /** `cost`: used to decide whether guesses pay. `pace`: how prompts share steps. */
    Batcher(Limits limits, StepCost cost, PromptPace pace)
        : limits_(limits), cost_(std::move(cost)), pace_(std::move(pace)) {}

    /** Plans the next step; ends runs whose context is full. Empty slices: nothing to do. `draft`
     * may be nullptr. `alone`: one sequence, as in deterministic mode. */
    void plan(Scheduler & scheduler, Cache & cache, DraftModel * draft, bool alone,
              std::vector<Event> & out);

    /** Reports the time of the planned step. */
    void report(double milliseconds);

    const std::vector<Slice> & slices() const { return slices_; }

    /** The planned batch; points into this object, valid until the next plan(). */
    llama_batch view();

    std::size_t token_count() const { return tokens_.size(); }
    llama_token token(std::size_t index) const { return tokens_[index]; }

private:
    void clear();
    void put(llama_token token, llama_seq_id sequence, std::size_t position, bool logits);
    std::vector<Sequence *> decoding_with_room(Scheduler & scheduler, Cache & cache,
                                               std::vector<Event> & out);
    void keep_one(std::vector<Sequence *> & decoding, std::vector<Sequence *> & prefilling);
    /** What guesses may take. */
    struct Spare {
        std::size_t cells;
        std::size_t rows;
    };
    Spare spare_for_guesses(const std::vector<Sequence *> & decoding,
                            const std::vector<Sequence *> & prefilling, const Cache & cache) const;
    void put_decoding(const std::vector<Sequence *> & decoding, Cache & cache, DraftModel * draft,
                      Spare spare);
    void propose(DraftModel & draft, std::vector<DraftModel::Job> & jobs);
    /** Of the waiting prompts, those that this step takes. */
    struct Share {
        std::size_t rows;
        bool leaves_some;
    };
    Share share_of(const std::vector<Sequence *> & prefilling, const Cache & cache) const;
    void hold_streams(std::vector<Sequence *> & decoding, Share share, const Cache & cache);
    std::size_t prefill_budget() const;
    void put_prefill(Sequence & sequence, Cache & cache, std::size_t budget);

    Limits limits_;
    StepCost cost_;
    PromptPace pace_;
    std::size_t held_rows_ = 0;  // of prompts, since running streams had a step
    double guess_ms_ =
        0;  // time that a draft model needs for a guess; 0: not measured yet, or no clock is used
    std::vector<Slice> slices_;
    std::vector<llama_token> tokens_;
    std::vector<llama_pos> positions_;
    std::vector<int32_t> sequence_counts_;
    std::vector<llama_seq_id> sequence_ids_;
    std::vector<llama_seq_id *> sequence_pointers_;
    std::vector<int8_t> logits_;
    uint64_t turn_ = 0;  // deterministic mode: whose turn it was last
};

}  // namespace r1

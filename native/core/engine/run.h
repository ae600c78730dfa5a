// Run: one running request, from its first prompt token to its end event. Knows tokens and text,
// but not batches or caches. Engine thread only.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/loop_guard.h"
#include "core/engine/request.h"
#include "core/engine/stop_gate.h"
#include "core/sampling/sampler.h"
#include "core/speculation/draft_pace.h"
#include "core/speculation/ngram.h"
#include "core/text/utf8_gate.h"
#include "core/text/vocab.h"

namespace r1 {

class Run {
public:
    /** Throws the Failures of Sampler. */
    Run(std::shared_ptr<Request> request, const Vocab & vocab, int32_t context_size);
    Run(const Run &) = delete;
    Run & operator=(const Run &) = delete;

    const Request & request() const { return *request_; }
    const std::shared_ptr<Request> & request_pointer() const { return request_; }

    /** Everything that must be in the cache before the next token can be chosen: the prompt, then
     * what was generated. */
    const std::vector<llama_token> & feed() const { return feed_; }

    bool has_generated() const { return generated_ > 0; }

    /**
     * Whether the reply has only just begun: `<think>`, the line break after it, and the first word
     * that a reader sees. These tokens are not held back.
     */
    bool is_early() const { return generated_ <= early_tokens; }

    /**
     * Chooses the next token from the logits after `feed()` and appends it. Its events go to `out`.
     * Returns the reason if it ended the request; call finish() for the end event. If the grammar
     * needs more than `time`, appends nothing and is choosing: it keeps the logits and skips steps,
     * and continue_choice() continues.
     */
    std::optional<EndReason> advance(const float * logits, GrammarTime & time,
                                     std::vector<Event> & out);

    /** Whether a choice is in progress and has no token yet. */
    bool is_choosing() const { return !kept_logits_.empty(); }
    std::optional<EndReason> continue_choice(GrammarTime & time, std::vector<Event> & out);

    bool guesses_by_ngram() const {
        return request_->ngram_draft > 0 && request_->model_draft == 0;
    }
    /**
     * How many tokens after `feed()` to guess now, at most `most`, which are added to `step`; 0 if
     * guessing is off, would not pay, or cannot be verified.
     */
    std::size_t draft_length(const StepCost & cost, DraftPace::Step & step, std::size_t most);
    /**
     * Guesses of the tokens after `feed()` by n-gram lookup; as many as draft_length() returned.
     */
    std::vector<llama_token> draft_by_ngram(std::size_t count) const {
        return NgramDraft::propose(feed_, match_, count);
    }
    void report_draft(std::size_t drafted, std::size_t accepted);

    /** Marks the start of work on the prompt; `cached` of its tokens were already in the cache. */
    void begin(std::size_t cached);

    /**
     * If the request asked for it, reports how many of its prompt's tokens are in the cache: at
     * once when all are, else at most once in `progress_interval`, and never fewer than before.
     */
    void report_progress(std::size_t processed, std::vector<Event> & out);
    static constexpr std::chrono::milliseconds progress_interval{50};

    /** Releases held text and makes the last event. */
    void finish(EndReason reason, std::vector<Event> & out);

private:
    std::optional<llama_token> choose(const float * logits, GrammarTime & time);
    std::optional<EndReason> take(llama_token token, bool forced, const float * logits,
                                  std::vector<Event> & out);
    void follow_tags(llama_token token, bool forced);
    void learn_from_prompt();
    void judge(const NgramDraft::Match & match, llama_token came);
    void append(llama_token token, bool forced);
    bool must_close() const;
    bool take_text(llama_token token, TokenEvent event, std::vector<Event> & out);

    std::shared_ptr<Request> request_;
    const Vocab & vocab_;
    Sampler sampler_;
    Utf8Gate utf8_;
    StopGate stops_;
    LoopGuard loop_;
    DraftPace pace_;
    NgramDraft ngram_;
    NgramDraft::Match match_;  // of the end of feed_
    std::vector<llama_token> feed_;
    std::vector<float> kept_logits_;  // of a choice that is under way
    std::deque<llama_token> forced_;  // the closing of a reasoning that is to end
    static constexpr int32_t early_tokens = 4;
    int32_t generated_ = 0;
    int32_t reasoning_ = 0;  // tokens chosen inside the reasoning, tags and closing not counted
    bool in_reasoning_;
    bool answering_ = false;   // the answer has begun
    bool is_closing_ = false;  // the closing has been forced
    int32_t cached_ = 0;
    int32_t drafted_ = 0;
    int32_t accepted_ = 0;
    int32_t reported_ = -1;  // tokens of the prompt that were last reported
    Clock::time_point reported_at_{};
    std::optional<Clock::time_point> begun_;
    std::optional<Clock::time_point> first_token_;
    Clock::time_point last_token_{};
};

}  // namespace r1

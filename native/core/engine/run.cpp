// Run: one running request, from its first prompt token to its end event. Knows tokens and text,
// but not batches or caches. Engine thread only.
#include "core/engine/run.h"

#include <algorithm>
#include <cctype>

namespace r1 {
namespace {

double milliseconds(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

// Number of tokens at the end of a prompt whose guesses are evaluated.
constexpr std::size_t learnt_of_prompt = 256;

}  // namespace

Run::Run(std::shared_ptr<Request> request, const Vocab & vocab, int32_t context_size)
    : request_(std::move(request)),
      vocab_(vocab),
      sampler_(vocab, request_->sampling, request_->grammar, request_->ignore_eos, context_size,
               request_->stop_tokens),
      stops_(request_->stop),
      loop_(request_->loop_guard),
      pace_(request_->model_draft > 0 ? DraftPace::Source::Model : DraftPace::Source::Ngram,
            std::max(request_->ngram_draft, request_->model_draft)),
      feed_(request_->tokens),
      in_reasoning_(request_->starts_in_reasoning) {
    // A prompt that has closed its reasoning (the form that skips thinking) is followed by the
    // answer at once.
    const auto last_tag = std::find_if(feed_.rbegin(), feed_.rend(),
                                       [&](llama_token token) { return vocab.is_special(token); });
    answering_ =
        !in_reasoning_ && last_tag != feed_.rend() && *last_tag == request_->end_think_token;
    for (const llama_token token : feed_) {
        sampler_.observe(token);
    }
}

void Run::begin(std::size_t cached) {
    if (!begun_) {
        begun_ = Clock::now();
        cached_ = static_cast<int32_t>(cached);
    }
}

void Run::report_progress(std::size_t processed, std::vector<Event> & out) {
    const auto count = static_cast<int32_t>(std::min(processed, request_->tokens.size()));
    if (!request_->prompt_progress || count <= reported_) {
        return;
    }
    const Clock::time_point now = Clock::now();
    const bool is_whole = processed >= request_->tokens.size();
    if (!is_whole && reported_ >= 0 && now - reported_at_ < progress_interval) {
        return;
    }
    reported_ = count;
    reported_at_ = now;
    out.emplace_back(ProgressEvent{request_->id, static_cast<int32_t>(request_->tokens.size()),
                                   cached_, count, milliseconds(begun_.value_or(now), now)});
}

std::size_t Run::draft_length(const StepCost & cost, DraftPace::Step & step, std::size_t most) {
    // A forced token is not a guess, and a budget is exact to the token.
    if (!forced_.empty() || (in_reasoning_ && request_->reasoning_budget >= 0)) {
        return 0;
    }
    // No guess is needed after the last requested token.
    const std::size_t left =
        request_->max_tokens < 0
            ? most
            : static_cast<std::size_t>(std::max(request_->max_tokens - generated_ - 1, 0));
    return pace_.next(cost, step, match_.length, std::min(most, left));
}

void Run::report_draft(std::size_t drafted, std::size_t accepted) {
    pace_.report(drafted, accepted);
    drafted_ += static_cast<int32_t>(drafted);
    accepted_ += static_cast<int32_t>(accepted);
}

// Evaluates guesses at the end of the prompt: a reply that continues to copy there is guessed from
// its first token on.
void Run::learn_from_prompt() {
    const std::size_t from = feed_.size() > learnt_of_prompt ? feed_.size() - learnt_of_prompt : 0;
    for (std::size_t count = from; count < feed_.size(); ++count) {
        ngram_.follow(feed_, count);
        judge(ngram_.find(feed_, count), feed_[count]);
    }
    pace_.end_prompt();
}

// Reports to the pace whether a guess held, or would have.
void Run::judge(const NgramDraft::Match & match, llama_token came) {
    if (match.length > 0) {
        pace_.observe(match.length, feed_[match.next] == came);
    }
}

void Run::append(llama_token token, bool forced) {
    const bool by_ngram = guesses_by_ngram();
    if (by_ngram && generated_ == 0) {
        learn_from_prompt();
    }
    if (by_ngram && !forced) {
        judge(match_, token);
    }
    feed_.push_back(token);
    ++generated_;
    if (by_ngram) {
        ngram_.follow(feed_, feed_.size());
        match_ = ngram_.find(feed_, feed_.size());
    }
}

// Whether the reasoning must be closed at this token: its budget is spent, or the user requested
// it.
bool Run::must_close() const {
    if (!in_reasoning_ || is_closing_ || request_->closing.empty()) {
        return false;
    }
    const bool is_spent =
        request_->reasoning_budget >= 0 && reasoning_ >= request_->reasoning_budget;
    return is_spent || request_->end_reasoning.load(std::memory_order_relaxed);
}

std::optional<llama_token> Run::choose(const float * logits, GrammarTime & time) {
    if (must_close()) {
        is_closing_ = true;
        forced_.assign(request_->closing.begin(), request_->closing.end());
    }
    if (!forced_.empty()) {
        const llama_token token = forced_.front();
        forced_.pop_front();
        sampler_.observe(token);
        return token;
    }
    // The grammar applies to the text after the reasoning. Before the answer has begun, a tag may
    // still open the reasoning.
    const bool bound = sampler_.has_grammar() && !in_reasoning_;
    const std::optional<llama_token> token = sampler_.sample(
        logits, bound, bound && !answering_ ? request_->think_token : LLAMA_TOKEN_NULL, &time);
    if (!token) return std::nullopt;
    // If a form of the answer is requested, a reply that ends inside the reasoning is closed
    // instead, so that the answer follows.
    const bool unanswered = sampler_.has_grammar() && in_reasoning_ &&
                            request_->end_think_token != LLAMA_TOKEN_NULL &&
                            sampler_.is_end(*token);
    return unanswered ? request_->end_think_token : token;
}

// True if a stop string is complete.
bool Run::take_text(llama_token token, TokenEvent event, std::vector<Event> & out) {
    const bool tag = token != LLAMA_TOKEN_NULL &&
                     (token == request_->think_token || token == request_->end_think_token);
    if (tag) {
        // A broken-off character before a tag will never be completed.
        event.text = utf8_.flush();
    }
    event.text += utf8_.push(vocab_.piece(token));
    return stops_.push(std::move(event), out);
}

// One block of reasoning, then one answer: once the answer has begun, tags are its text (as
// lib/reasoning/segmenter.ts has it).
void Run::follow_tags(llama_token token, bool forced) {
    const bool is_think = token == request_->think_token && token != LLAMA_TOKEN_NULL;
    const bool is_end_think = token == request_->end_think_token && token != LLAMA_TOKEN_NULL;
    if (in_reasoning_) {
        if (is_end_think) {
            in_reasoning_ = false;
            answering_ = true;
        } else if (!forced && !is_closing_) {
            ++reasoning_;
        }
        return;
    }
    if (is_think && !answering_) {
        in_reasoning_ = true;
        return;
    }
    const std::string text = vocab_.piece(token);
    answering_ = answering_ || !std::all_of(text.begin(), text.end(),
                                            [](unsigned char c) { return std::isspace(c) != 0; });
}

std::optional<EndReason> Run::advance(const float * logits, GrammarTime & time,
                                      std::vector<Event> & out) {
    // A run that was sent back during a choice comes here again: the choice continues.
    if (is_choosing()) return continue_choice(time, out);
    const bool forced = !forced_.empty();
    const std::optional<llama_token> token = choose(logits, time);
    if (!token) {
        kept_logits_.assign(logits, logits + vocab_.size());
        return std::nullopt;
    }
    return take(*token, forced, logits, out);
}

std::optional<EndReason> Run::continue_choice(GrammarTime & time, std::vector<Event> & out) {
    const std::optional<llama_token> token = choose(kept_logits_.data(), time);
    if (!token) return std::nullopt;
    const std::vector<float> logits = std::move(kept_logits_);
    kept_logits_ = {};
    return take(*token, false, logits.data(), out);
}

std::optional<EndReason> Run::take(llama_token token, bool forced, const float * logits,
                                   std::vector<Event> & out) {
    last_token_ = Clock::now();
    if (!first_token_) {
        first_token_ = last_token_;
    }
    append(token, forced);

    TokenEvent event{request_->id, token, {}, {}, is_early()};
    if (request_->logprobs >= 0) {
        event.logprobs = logprobs_of(logits, vocab_.size(), token, request_->logprobs);
    }

    const bool ends = vocab_.is_end_of_generation(token) && !request_->ignore_eos;
    const bool asked = std::find(request_->stop_tokens.begin(), request_->stop_tokens.end(),
                                 token) != request_->stop_tokens.end();
    if (ends || asked) {
        // The ending token is reported by its id and has no text. The held text can no longer begin
        // a stop string.
        stops_.flush(out);
        event.text = utf8_.flush();
        out.emplace_back(std::move(event));
        return EndReason::Stop;
    }

    follow_tags(token, forced);

    if (take_text(token, std::move(event), out)) {
        return EndReason::StopString;
    }
    if (request_->max_tokens >= 0 && generated_ >= request_->max_tokens) {
        return EndReason::Length;
    }
    if (loop_.push(feed_)) {
        return EndReason::Loop;
    }
    return std::nullopt;
}

void Run::finish(EndReason reason, std::vector<Event> & out) {
    stops_.flush(out);
    // An incomplete character at the end is dropped: text has only whole characters.
    const Clock::time_point now = Clock::now();
    const Clock::time_point begun = begun_.value_or(now);
    const Clock::time_point first = first_token_.value_or(now);
    EndEvent end{};
    end.id = request_->id;
    end.reason = reason;
    end.prompt_tokens = static_cast<int32_t>(request_->tokens.size());
    end.cached_tokens = cached_;
    end.completion_tokens = generated_;
    end.queue_ms = milliseconds(request_->submitted, begun);
    end.first_token_ms = first_token_ ? milliseconds(request_->submitted, first) : 0;
    end.prompt_ms = begun_ ? milliseconds(begun, first) : 0;
    end.decode_ms = first_token_ ? milliseconds(first, last_token_) : 0;
    end.drafted_tokens = drafted_;
    end.accepted_tokens = accepted_;
    end.stop = reason == EndReason::StopString ? stops_.matched() : -1;
    out.emplace_back(end);
}

}  // namespace r1

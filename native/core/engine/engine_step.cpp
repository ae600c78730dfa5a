// The steps of Engine: plan a batch, decode it, choose tokens, deliver the events. Runs on the
// engine thread.
#include <algorithm>

#include "core/engine/engine.h"
#include "core/failure.h"

namespace r1 {
namespace {

// Time budget of all grammars in a step, so that no stream waits for them for more than 5 ms: for
// the choices of this step, and for unfinished choices of earlier steps.
constexpr std::chrono::milliseconds grammar_time_of_new_choices{2};
constexpr std::chrono::milliseconds grammar_time_of_old_choices{1};

int64_t nanoseconds(Clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

// Polled by the CPU backend before every graph node, from its worker thread.
bool Engine::abort_decode(void * data) {
    const Engine & engine = *static_cast<const Engine *>(data);
    const std::atomic<bool> * cancelled = engine.cancelled_.load(std::memory_order_relaxed);
    if (engine.stopping_.load(std::memory_order_relaxed) ||
        (cancelled != nullptr && cancelled->load(std::memory_order_relaxed))) {
        return true;
    }
    if (engine.must_finish_.load(std::memory_order_relaxed)) {
        return false;
    }
    if (engine.interrupt_.load(std::memory_order_relaxed)) {
        return true;
    }
    const int64_t deadline = engine.deadline_ns_.load(std::memory_order_relaxed);
    return deadline != 0 && nanoseconds(Clock::now()) >= deadline;
}

void Engine::step() {
    std::vector<Event> out;
    try {
        scheduler_->expire(Clock::now(), out);
        scheduler_->admit(out);
        batcher_->plan(*scheduler_, *cache_, draft_.get(), !suspects_.empty(), out);
        if (batcher_->token_count() > step_tokens_ || batcher_->slices().empty()) {
            outbox_.flush(Clock::now());  // the next step may take longer than the last
        }
        step_tokens_ = batcher_->token_count();
        if (!out.empty()) {
            // Deliver ends and begins before the decode.
            settle(out);
            outbox_.add(std::move(out), Clock::now());
            out = {};
        }
        grammar_time_ = GrammarTime(grammar_time_of_new_choices);
        if (!batcher_->slices().empty()) {
            decode(out);
        }
        continue_choices(out);
    } catch (const Failure & failure) {
        scheduler_->fail_all(error_code_name(failure.code()), failure.what(), out);
    } catch (const std::exception & error) {
        scheduler_->fail_all(error_code_name(ErrorCode::Internal), error.what(), out);
    }
    settle(out);
    outbox_.add(std::move(out), Clock::now());
}

void Engine::mark_in_batch(bool value) {
    int64_t deadline = 0;
    for (const Slice & slice : batcher_->slices()) {
        if (slice.sequence->run == nullptr) {
            continue;
        }
        const std::shared_ptr<Request> & request = slice.sequence->run->request_pointer();
        request->in_batch.store(value);
        if (value && request->cancelled.load()) {
            interrupt_.store(true,
                             std::memory_order_relaxed);  // cancelled after expire() checked:
                                                          // cancel() did not see it in a batch
        }
        if (request->timeout_ms > 0) {
            const int64_t end =
                nanoseconds(request->submitted) + static_cast<int64_t>(request->timeout_ms * 1e6);
            deadline = deadline == 0 ? end : std::min(deadline, end);
        }
    }
    deadline_ns_.store(value ? deadline : 0, std::memory_order_relaxed);
}

void Engine::decode(std::vector<Event> & out) {
    must_finish_.store(interruptions_ >= max_interruptions, std::memory_order_relaxed);
    mark_in_batch(true);
    int32_t code = -3;
    std::string thrown;
    const Clock::time_point start = Clock::now();
    try {
        code = context_->decode(batcher_->view());
        if (code == 0) {
            llama_synchronize(context_->handle());
        }
    } catch (const std::exception & error) {
        thrown = error.what();  // llama_decode is not exception-safe
    }
    ++steps_;
    must_finish_.store(false, std::memory_order_relaxed);
    if (code == 0) {
        interruptions_ = 0;
    }
    if (code != 0 || !thrown.empty()) {
        mark_in_batch(false);
        after_failure(code, thrown, out);
        return;
    }
    if (!suspects_.empty()) {
        clear_suspect(*batcher_->slices().front().sequence->run);
    }
    for (const Slice & slice : batcher_->slices()) {
        slice.sequence->run->request_pointer()->in_batch.store(false, std::memory_order_relaxed);
        guard(*slice.sequence, out, [&] { after_decode(slice, out); });
    }
    deadline_ns_.store(0, std::memory_order_relaxed);
    batcher_->report(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
}

// Work for one request: an exception ends only that request.
template <typename Work>
void Engine::guard(Sequence & sequence, std::vector<Event> & out, Work work) {
    const char * code = nullptr;
    std::string message;
    try {
        work();
        return;
    } catch (const Failure & failure) {
        code = error_code_name(failure.code());
        message = failure.what();
    } catch (const std::exception & error) {
        code = error_code_name(ErrorCode::Internal);
        message = error.what();
    }
    // cancel() promises that a request ends as aborted, even if it failed meanwhile.
    if (sequence.run->request().cancelled.load(std::memory_order_relaxed)) {
        scheduler_->finish(sequence, EndReason::Aborted, out);
    } else {
        scheduler_->fail(sequence, code, message, out);
    }
}

// Choices that a grammar slows down continue for a part of each step, in turns.
void Engine::continue_choices(std::vector<Event> & out) {
    grammar_time_.add(grammar_time_of_old_choices);
    std::vector<Sequence> & sequences = scheduler_->sequences();
    const std::size_t first = choice_turn_;
    for (std::size_t i = 0; i < sequences.size() && !grammar_time_.is_spent(); ++i) {
        Sequence & sequence = sequences[(first + i) % sequences.size()];
        if (sequence.run == nullptr || !sequence.run->is_choosing() ||
            cache_->length(sequence.id) < sequence.run->feed().size()) {
            continue;
        }
        choice_turn_ = (first + i + 1) % sequences.size();
        guard(sequence, out, [&] {
            if (const auto end = sequence.run->continue_choice(grammar_time_, out)) {
                scheduler_->finish(sequence, *end, out);
            }
        });
    }
}

void Engine::after_decode(const Slice & slice, std::vector<Event> & out) {
    Sequence & sequence = *slice.sequence;
    Run & run = *sequence.run;
    for (std::size_t i = 0; i < slice.count; ++i) {
        cache_->decoded(sequence.id, batcher_->token(slice.first + i));
    }
    if (!run.has_generated()) {
        prompt_tokens_ += slice.count;
        run.report_progress(cache_->length(sequence.id), out);
    }
    if (!slice.samples) {
        return;
    }
    std::size_t accepted = 0;
    const std::size_t before = cache_->length(sequence.id) - slice.drafted;
    std::optional<EndReason> end;
    for (std::size_t i = 0; i <= slice.drafted && !end; ++i) {
        const std::size_t index = slice.first + slice.count - 1 - slice.drafted + i;
        const float * logits =
            llama_get_logits_ith(context_->handle(), static_cast<int32_t>(index));
        if (logits == nullptr) {
            throw Failure(ErrorCode::Internal,
                          "llama.cpp kept no logits for a token that asked for them.");
        }
        end = run.advance(logits, grammar_time_, out);
        if (run.is_choosing()) {
            break;
        }
        const bool guessed = i < slice.drafted && run.feed().back() == batcher_->token(index + 1);
        if (!guessed) {
            break;
        }
        ++accepted;
    }
    if (slice.drafted > 0) {
        // Keep only the tokens that were chosen; the last of them must still be decoded.
        const std::size_t decoded = run.feed().size() - (run.is_choosing() ? 0 : 1);
        cache_->truncate(sequence.id, std::min(before + accepted, decoded));
        run.report_draft(slice.drafted, accepted);
    }
    if (end) {
        scheduler_->finish(sequence, *end, out);
    }
}

void Engine::after_failure(int32_t code, const std::string & thrown, std::vector<Event> & out) {
    const bool aborted = code == 2 && thrown.empty();
    const bool full = code == 1 && thrown.empty();
    bool others = false;  // one request's abort would discard another's work
    const Clock::time_point now = Clock::now();
    for (const Slice & slice : batcher_->slices()) {
        Sequence & sequence = *slice.sequence;
        if (sequence.run == nullptr) {
            continue;
        }
        const Request & request = sequence.run->request();
        others = others ||
                 (!request.cancelled.load(std::memory_order_relaxed) && !request.timed_out(now));
        // Earlier micro-batches of the call may be in the cache. Those of a prompt are kept. The
        // logits of a running stream are lost, so its token is decoded again.
        const std::size_t before = cache_->length(sequence.id);
        std::size_t keep = before;
        if (cache_->whole_only()) {
            keep = 0;  // the layers that were computed have changed the state already
        } else if (aborted && !slice.samples) {
            const llama_pos last = llama_memory_seq_pos_max(context_->memory(), sequence.id);
            keep = std::clamp<std::size_t>(static_cast<std::size_t>(last + 1), before,
                                           before + slice.count);
            for (std::size_t i = before; i < keep; ++i) {
                cache_->decoded(sequence.id, batcher_->token(slice.first + i - before));
            }
        }
        cache_->truncate(sequence.id, keep);
    }
    if (aborted) {
        interruptions_ += others ? 1 : 0;
        return;  // expire() ends cancelled requests at the next step; the others continue from here
    }
    if (full) {
        // The ledger has room, so this should not happen: make room instead of failing.
        if (!scheduler_->make_room()) {
            for (Sequence & sequence : scheduler_->sequences()) {
                if (sequence.run != nullptr) {
                    scheduler_->finish(sequence, EndReason::Length, out);
                }
            }
        }
        return;
    }
    const std::string reason =
        thrown.empty() ? "llama_decode returned " + std::to_string(code) : thrown;
    isolate_failure(reason, out);
}

// One request must not fail the others. In a batch of one, that request is at fault. The requests
// of a larger batch are decoded one by one, which costs time but changes no result: all their cells
// are computed again.
void Engine::isolate_failure(const std::string & reason, std::vector<Event> & out) {
    const std::vector<Slice> & slices = batcher_->slices();
    if (slices.size() == 1 && slices.front().sequence->run != nullptr) {
        Sequence & sequence = *slices.front().sequence;
        suspects_.erase(sequence.run->request().id);
        scheduler_->fail(sequence, error_code_name(ErrorCode::DecodeFailed),
                         "The model could not decode this request: " + reason +
                             ". It can be tried again; if it fails again, load the model anew.",
                         out);
    } else {
        for (const Slice & slice : slices) {
            if (slice.sequence->run != nullptr) {
                ++suspects_[slice.sequence->run->request().id];
            }
        }
    }
    // The state that llama.cpp left in its memory is unknown.
    while (scheduler_->revoke_oldest()) {
    }
    for (Sequence & sequence : scheduler_->sequences()) {
        cache_->clear(sequence.id);
    }
    llama_memory_clear(context_->memory(), true);
}

// It was decoded alone. After a second failure in a larger batch it stays alone.
void Engine::clear_suspect(const Run & run) {
    const auto entry = suspects_.find(run.request().id);
    if (entry != suspects_.end() && entry->second < 2) {
        suspects_.erase(entry);
    }
}

// Updates the counts before the events are delivered, so that a request no longer counts after its
// last event.
void Engine::settle(const std::vector<Event> & out) {
    const Clock::time_point now = Clock::now();
    uint32_t sampled = 0;
    std::lock_guard<std::mutex> lock(mutex_);
    for (const Event & event : out) {
        if (const auto * end = std::get_if<EndEvent>(&event)) {
            live_.erase(end->id);
            suspects_.erase(end->id);
            stats_.cached_tokens += static_cast<uint64_t>(end->cached_tokens);
            stats_.completion_tokens += static_cast<uint64_t>(end->completion_tokens);
            stats_.drafted_tokens += static_cast<uint64_t>(end->drafted_tokens);
            stats_.accepted_tokens += static_cast<uint64_t>(end->accepted_tokens);
        } else if (const auto * error = std::get_if<ErrorEvent>(&event)) {
            live_.erase(error->id);
            suspects_.erase(error->id);
        } else if (std::holds_alternative<TokenEvent>(event)) {
            ++sampled;
        }
    }
    if (sampled > 0) {
        recent_.emplace_back(now, sampled);
        recent_tokens_ += sampled;
    }
    while (!recent_.empty() && now - recent_.front().first > rate_window) {
        recent_tokens_ -= recent_.front().second;
        recent_.pop_front();
    }
    const double seconds =
        recent_.empty() ? 0 : std::chrono::duration<double>(now - recent_.front().first).count();
    settled_ = now;
    stats_.running = scheduler_->running();
    stats_.cells_used = cache_->ledger().used();
    stats_.prompt_tokens = prompt_tokens_;
    stats_.steps = steps_;
    stats_.tokens_per_second = seconds > 0 ? static_cast<double>(recent_tokens_) / seconds : 0;
}

}  // namespace r1

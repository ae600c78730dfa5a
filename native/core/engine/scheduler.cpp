// Scheduler: decides which requests wait, which get a sequence, and whose cells are freed. Engine
// thread only.
#include "core/engine/scheduler.h"

#include <algorithm>

#include "core/failure.h"

namespace r1 {
namespace {

// Waiting for a prefix that another prompt is computing pays only if it is longer than this.
constexpr std::size_t worth_waiting = 32;

}  // namespace

Scheduler::Scheduler(Cache & cache, const Vocab & vocab, uint32_t sequences, bool prefix_cache,
                     bool guest_sequence)
    : cache_(cache), vocab_(vocab), sequences_(sequences), prefix_cache_(prefix_cache) {
    for (std::size_t i = 0; i < sequences_.size(); ++i) {
        sequences_[i].id = static_cast<llama_seq_id>(i);
    }
    if (guest_sequence) {
        guests_ = &sequences_.back();
    }
}

void Scheduler::add(std::shared_ptr<Request> request) {
    auto place = waiting_.end();
    while (place != waiting_.begin() && (place - 1)->request->priority < request->priority) {
        --place;
    }
    waiting_.insert(place, Waiting{std::move(request), nullptr});
}

uint32_t Scheduler::running() const {
    return static_cast<uint32_t>(std::count_if(
        sequences_.begin(), sequences_.end(), [](const Sequence & s) { return s.run != nullptr; }));
}

void Scheduler::expire(Clock::time_point now, std::vector<Event> & out) {
    for (auto entry = waiting_.begin(); entry != waiting_.end();) {
        const Request & request = *entry->request;
        const bool cancelled = request.cancelled.load(std::memory_order_relaxed);
        if (!cancelled && !request.timed_out(now)) {
            ++entry;
            continue;
        }
        const EndReason reason = cancelled ? EndReason::Aborted : EndReason::Timeout;
        if (entry->run) {
            entry->run->finish(reason, out);
        } else {
            EndEvent end{};
            end.id = request.id;
            end.reason = reason;
            end.stop = -1;
            end.prompt_tokens = static_cast<int32_t>(request.tokens.size());
            end.queue_ms =
                std::chrono::duration<double, std::milli>(now - request.submitted).count();
            out.emplace_back(end);
        }
        entry = waiting_.erase(entry);
    }
    for (Sequence & sequence : sequences_) {
        if (sequence.run == nullptr) {
            continue;
        }
        if (sequence.run->request().cancelled.load(std::memory_order_relaxed)) {
            finish(sequence, EndReason::Aborted, out);
        } else if (sequence.run->request().timed_out(now)) {
            finish(sequence, EndReason::Timeout, out);
        }
    }
}

// The longest prefix of the entry's tokens in the cache. The last token is always computed again:
// logits are not kept.
Scheduler::Prefix Scheduler::best_prefix(const Waiting & entry) {
    Prefix best;
    if (!prefix_cache_ || !entry.request->cache_prompt) {
        return best;
    }
    for (Sequence & sequence : sequences_) {
        if (!cache_.ledger().is_usable_by(sequence.id, entry.request->session) ||
            sequence.is_filling()) {
            continue;
        }
        const std::size_t length = std::min(common_prefix(cache_.tokens(sequence.id), entry.feed()),
                                            entry.feed().size() - 1);
        if (cache_.whole_only() && (!sequence.is_free() || length < cache_.length(sequence.id))) {
            continue;  // can only be continued from its last token
        }
        // Among equal ones, an idle sequence without other tokens is used directly, which saves the
        // copy.
        const bool better = length > best.length || (length == best.length && length > 0 &&
                                                     !best.source->is_free() && sequence.is_free());
        if (better) {
            best = {&sequence, length};
        }
    }
    return best;
}

// Whether a running prompt is about to compute a longer common prefix than the cache has: then it
// is computed once for all.
bool Scheduler::comes_soon(const Waiting & entry, std::size_t have) const {
    if (!prefix_cache_ || !entry.request->cache_prompt || cache_.whole_only()) {
        return false;
    }
    return std::any_of(sequences_.begin(), sequences_.end(), [&](const Sequence & sequence) {
        if (sequence.run == nullptr ||
            cache_.length(sequence.id) + 1 >= sequence.run->feed().size() ||
            !cache_.ledger().is_usable_by(sequence.id, entry.request->session)) {
            return false;
        }
        return common_prefix(sequence.run->feed(), entry.feed()) > have + worth_waiting;
    });
}

// Cells that running prompts still need. Giving them away would make two requests starve each
// other.
uint32_t Scheduler::promised() const {
    std::size_t cells = 0;
    for (const Sequence & sequence : sequences_) {
        if (sequence.run != nullptr) {
            cells += sequence.run->feed().size() - cache_.length(sequence.id) + 1;
        }
    }
    return static_cast<uint32_t>(cells);
}

Sequence * Scheduler::least_recent_idle(const Sequence * except) {
    const auto rank = [this](const Sequence & sequence) {
        return cache_.length(sequence.id) == 0 ? 0 : sequence.last_used;
    };
    Sequence * oldest = nullptr;
    for (Sequence & sequence : sequences_) {
        if (sequence.is_free() && &sequence != except && &sequence != guests_ &&
            (oldest == nullptr || rank(sequence) < rank(*oldest))) {
            oldest = &sequence;
        }
    }
    return oldest;
}

// The sequence for a prefix: its holder if that is idle and would lose little, else the least
// recently used idle one.
Sequence * Scheduler::place(const Prefix & prefix) {
    const bool idle_source = prefix.source != nullptr && prefix.source->is_free();
    Sequence * other = least_recent_idle(prefix.source);
    const bool loses_little =
        idle_source &&
        (cache_.whole_only() || prefix.length * 2 >= cache_.length(prefix.source->id));
    return other == nullptr || loses_little ? (idle_source ? prefix.source : other) : other;
}

// Makes the entry's run if it has none. False: it cannot be made, and the error has been reported.
bool Scheduler::make_run(Waiting & entry, std::vector<Event> & out) {
    if (entry.run != nullptr) {
        return true;
    }
    try {
        entry.run = std::make_unique<Run>(entry.request, vocab_,
                                          static_cast<int32_t>(cache_.ledger().per_sequence()));
        return true;
    } catch (const Failure & failure) {
        out.emplace_back(
            ErrorEvent{entry.request->id, error_code_name(failure.code()), failure.what()});
    } catch (const std::exception & error) {
        out.emplace_back(
            ErrorEvent{entry.request->id, error_code_name(ErrorCode::Internal), error.what()});
    }
    return false;
}

// Frees cells of idle sequences until a prompt fits in addition to the cells that running ones
// still need.
bool Scheduler::find_cells(const Prefix & prefix, const Sequence & target, std::size_t needed) {
    if (!cache_.ledger().shared()) {
        return true;  // the target's own share is empty, and a prompt that is larger was refused
    }
    const std::size_t wanted = needed + promised();
    while (cache_.free_cells() < wanted) {
        if (guests_ != nullptr && guests_->run != nullptr) {
            return false;  // it yields before an idle sequence loses its cells
        }
        if (drop_idle(prefix.source)) {
            continue;
        }
        const bool has_tail =
            prefix.source != nullptr && prefix.source != &target && prefix.source->is_free();
        if (has_tail && cache_.length(prefix.source->id) > prefix.length) {
            cache_.truncate(prefix.source->id, prefix.length);  // nobody shares it with us
            continue;
        }
        // If nothing else runs, the prompt is admitted regardless of promised cells: it fits the
        // context, and make_room() frees the rest. Held cells will be released soon.
        return running() == 0 && !has_holds();
    }
    return true;
}

Scheduler::Start Scheduler::start(Waiting & entry, std::vector<Event> & out) {
    const Prefix prefix = best_prefix(entry);
    if (comes_soon(entry, prefix.length)) {
        return Start::Waits;
    }
    Sequence * target = place(prefix);
    if (target == nullptr) {
        return Start::NoRoom;
    }
    if (!make_run(entry, out)) {
        return Start::Done;
    }
    const bool in_place = target == prefix.source;
    // In one pool a shared prefix costs no cells.
    const bool free_prefix = in_place || cache_.ledger().shared();
    std::size_t kept = cache_.truncate(target->id, in_place ? prefix.length : 0);
    if (!find_cells(prefix, *target, entry.feed().size() - (free_prefix ? prefix.length : 0) + 1)) {
        return guests_ != nullptr && guests_->run != nullptr ? Start::GuestYields : Start::NoRoom;
    }
    if (prefix.length > 0 && !in_place) {
        kept = cache_.share(prefix.source->id, target->id, prefix.length);
        touch(*prefix.source);
    }
    entry.run->begin(kept);
    entry.run->report_progress(kept, out);
    target->run = std::move(entry.run);
    touch(*target);
    target->admitted = clock_;
    return Start::Done;
}

void Scheduler::admit(std::vector<Event> & out) {
    bool guests_wait = false;  // one has yielded its cells
    for (auto entry = waiting_.begin(); entry != waiting_.end();) {
        if ((guests_wait && is_guest(*entry)) || !has_place(*entry)) {
            if (guests_ == nullptr) {
                return;
            }
            ++entry;  // a guest has a sequence of its own
            continue;
        }
        switch (is_guest(*entry) ? start_guest(*entry, out) : start(*entry, out)) {
            case Start::Done: entry = waiting_.erase(entry); break;
            case Start::Waits: ++entry; break;
            case Start::GuestYields:
                guests_wait = guest_yields();
                entry = waiting_.begin();
                break;
            case Start::NoRoom:
                return;  // no request may pass, or a large prompt would wait for ever
        }
    }
}

bool Scheduler::drop_idle(const Sequence * keep) {
    Sequence * victim = nullptr;
    for (Sequence & sequence : sequences_) {
        const bool candidate =
            sequence.is_free() && &sequence != keep && cache_.length(sequence.id) > 0;
        if (candidate && (victim == nullptr || sequence.last_used < victim->last_used)) {
            victim = &sequence;
        }
    }
    if (victim == nullptr) {
        return false;
    }
    cache_.truncate(victim->id, 0);
    return true;
}

// To the head of those of its priority: it was there before them.
void Scheduler::send_back(Sequence & sequence) {
    std::shared_ptr<Request> request = sequence.run->request_pointer();
    const auto place = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting & entry) {
        return entry.request->priority <= request->priority;
    });
    waiting_.insert(place, Waiting{std::move(request), std::move(sequence.run)});
    cache_.truncate(sequence.id, 0);
}

bool Scheduler::make_room() {
    if (guests_ != nullptr && guests_->run != nullptr) {
        return running() > 1 && guest_yields();
    }
    if (drop_idle() || revoke_oldest()) {
        return true;
    }
    if (running() < 2) {
        return false;
    }
    Sequence * victim = nullptr;
    const auto yields = [](const Sequence & a, const Sequence & b) {
        const int32_t pa = a.run->request().priority;
        const int32_t pb = b.run->request().priority;
        return pa != pb ? pa < pb : a.admitted > b.admitted;
    };
    for (Sequence & sequence : sequences_) {
        if (sequence.run != nullptr && (victim == nullptr || yields(sequence, *victim))) {
            victim = &sequence;
        }
    }
    send_back(*victim);
    return true;
}

void Scheduler::finish(Sequence & sequence, EndReason reason, std::vector<Event> & out) {
    sequence.run->finish(reason, out);
    const bool was_guest = sequence.run->request().guest;
    sequence.run.reset();
    touch(sequence);
    if (!prefix_cache_ || was_guest) {
        cache_.truncate(sequence.id, 0);
    } else if (had_guest_) {
        keep_room_for_guests(sequence);
    }
}

void Scheduler::fail(Sequence & sequence, const char * code, const std::string & message,
                     std::vector<Event> & out) {
    out.emplace_back(ErrorEvent{sequence.run->request().id, code, message});
    sequence.run.reset();
    cache_.truncate(sequence.id, 0);
}

void Scheduler::fail_all(const char * code, const std::string & message, std::vector<Event> & out) {
    for (Sequence & sequence : sequences_) {
        if (sequence.run != nullptr) {
            fail(sequence, code, message, out);
        }
    }
    for (const Waiting & entry : waiting_) {
        out.emplace_back(ErrorEvent{entry.request->id, code, message});
    }
    waiting_.clear();
}

}  // namespace r1

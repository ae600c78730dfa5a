// The part of Scheduler for guests: requests beside the conversations, such as the title of one.
// They take no cells that idle sequences keep for later prompts. Engine thread only.
#include "core/engine/scheduler.h"
#include "core/failure.h"

namespace r1 {
namespace {

// Share of the cells that is kept free for guests once there has been one.
constexpr uint32_t guest_share = 8;

}  // namespace

bool Scheduler::is_guest(const Waiting & entry) const {
    return guests_ != nullptr && entry.request->guest;
}

/** Whether a sequence is free for the entry. */
bool Scheduler::has_place(const Waiting & entry) {
    return is_guest(entry) ? guests_->is_free() : least_recent_idle(nullptr) != nullptr;
}

/** Sends the running guest back to the queue. False: none runs. */
bool Scheduler::guest_yields() {
    if (guests_ == nullptr || guests_->run == nullptr) {
        return false;
    }
    send_back(*guests_);
    return true;
}

// A guest starts only if its prompt fits into cells that nobody holds.
Scheduler::Start Scheduler::start_guest(Waiting & entry, std::vector<Event> & out) {
    had_guest_ = true;
    const Prefix prefix = best_prefix(entry);
    if (comes_soon(entry, prefix.length)) {
        return Start::Waits;
    }
    if (!make_run(entry, out)) {
        return Start::Done;
    }
    const std::size_t own = entry.feed().size() - prefix.length + 1;
    if (cache_.free_cells() < own + promised()) {
        if (running() > 0 || has_holds()) {
            return Start::Waits;
        }
        // Nothing runs that could free cells.
        if (entry.run->has_generated()) {
            entry.run->finish(EndReason::Length, out);
        } else {
            out.emplace_back(ErrorEvent{entry.request->id, error_code_name(ErrorCode::ContextFull),
                                        "The free cells do not hold the prompt of this guest: it "
                                        "needs " +
                                            std::to_string(own) + ", and " +
                                            std::to_string(cache_.free_cells()) +
                                            " are free. Give the model a larger `contextSize`."});
        }
        return Start::Done;
    }
    std::size_t kept = 0;
    if (prefix.length > 0) {
        kept = cache_.share(prefix.source->id, guests_->id, prefix.length);
    }
    entry.run->begin(kept);
    entry.run->report_progress(kept, out);
    guests_->run = std::move(entry.run);
    touch(*guests_);
    guests_->admitted = clock_;
    return Start::Done;
}

/** Empties idle sequences, the least recently used first, but never the latest one. */
void Scheduler::keep_room_for_guests(const Sequence & latest) {
    if (guests_ == nullptr) {
        return;
    }
    const auto for_guests = [this] {
        return cache_.free_cells() + cache_.ledger().own_cells(guests_->id);
    };
    while (for_guests() < cache_.ledger().capacity() / guest_share && drop_idle(&latest)) {
    }
}

}  // namespace r1

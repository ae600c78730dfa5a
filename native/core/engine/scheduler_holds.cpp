// The part of Scheduler that holds cells for saved sessions: while a session is saved or restored,
// its sequence stays unchanged. Engine thread only.
#include <algorithm>

#include "core/engine/scheduler.h"
#include "core/failure.h"

namespace r1 {

bool Scheduler::has_holds() const {
    return std::any_of(sequences_.begin(), sequences_.end(),
                       [](const Sequence & s) { return s.is_held(); });
}

std::shared_ptr<CellHold> Scheduler::hold(const std::vector<llama_token> & tokens,
                                          uint64_t session) {
    for (Sequence & sequence : sequences_) {
        const std::size_t length = cache_.length(sequence.id);
        // A held sequence is not shortened for another session.
        if (sequence.run != nullptr || length < tokens.size() || sequence.is_filling() ||
            (sequence.is_held() && length != tokens.size()) ||
            !cache_.ledger().is_usable_by(sequence.id, session) ||
            common_prefix(cache_.tokens(sequence.id), tokens) != tokens.size()) {
            continue;
        }
        if (length > tokens.size() &&
            cache_.truncate(sequence.id, tokens.size()) != tokens.size()) {
            continue;  // this model's memory cannot go back to an earlier token
        }
        return hold_sequence(sequence, {sequence.id, tokens.size(), false, false});
    }
    return nullptr;
}

std::shared_ptr<CellHold> Scheduler::hold_for(const std::vector<llama_token> & tokens,
                                              uint64_t session) {
    Sequence * sequence = least_recent_idle(nullptr);
    if (sequence == nullptr) {
        throw Failure(ErrorCode::QueueFull,
                      "All sequences are busy, so a saved session cannot be restored now. Try "
                      "again when one has ended.");
    }
    cache_.truncate(sequence->id, 0);
    while (cache_.ledger().shared() && cache_.free_cells() < tokens.size()) {
        // A running stream is not sent back to the queue for a conversation that has not continued
        // yet.
        if (!drop_idle()) {
            throw Failure(ErrorCode::ContextFull,
                          "The cache has no room for the saved session while others run. Try again "
                          "when one has ended.");
        }
    }
    cache_.expect(sequence->id, tokens, session);
    return hold_sequence(*sequence, {sequence->id, tokens.size(), true, false});
}

std::shared_ptr<CellHold> Scheduler::hold_sequence(Sequence & sequence, const CellHold & facts) {
    if (!sequence.is_held()) {
        sequence.holds.clear();
    }
    auto hold = std::make_shared<CellHold>(facts);
    sequence.holds.push_back(hold);
    return hold;
}

void Scheduler::release(const std::shared_ptr<CellHold> & hold, bool keep) {
    if (hold->is_revoked) {
        return;
    }
    Sequence & sequence = sequences_[static_cast<std::size_t>(hold->sequence)];
    sequence.holds.erase(
        std::remove_if(sequence.holds.begin(), sequence.holds.end(),
                       [&](const std::weak_ptr<CellHold> & one) { return one.lock() == hold; }),
        sequence.holds.end());
    if (!keep) {
        cache_.truncate(sequence.id, 0);
    }
    touch(sequence);  // or it would be the first to be given away
}

bool Scheduler::revoke_oldest() {
    Sequence * victim = nullptr;
    for (Sequence & sequence : sequences_) {
        if (sequence.is_held() && (victim == nullptr || sequence.last_used < victim->last_used)) {
            victim = &sequence;
        }
    }
    if (victim == nullptr) {
        return false;
    }
    for (const std::weak_ptr<CellHold> & held : victim->holds) {
        if (const std::shared_ptr<CellHold> hold = held.lock()) {
            hold->is_revoked = true;
        }
    }
    victim->holds.clear();
    cache_.truncate(victim->id, 0);
    return true;
}

void Scheduler::forget(uint64_t session) {
    for (Sequence & sequence : sequences_) {
        if (sequence.is_free() && cache_.ledger().session(sequence.id) == session) {
            cache_.truncate(sequence.id, 0);
        }
    }
}

}  // namespace r1

// Sequence: one KV slot and the run that uses it, if any. Engine thread only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include <llama.h>

#include "core/engine/run.h"

namespace r1 {

/**
 * Keeps the cells of an idle sequence unchanged while a session is saved from them or restored into
 * them, for the lifetime of this object. Used while the engine thread is paused.
 */
struct CellHold {
    llama_seq_id sequence = 0;
    std::size_t tokens = 0;
    bool is_filling = false;  // a restored session's values are still being copied
    bool is_revoked = false;  // running streams needed the cells and use them now
};

struct Sequence {
    llama_seq_id id = 0;
    std::unique_ptr<Run> run;                    // nullptr: idle, its cells kept for later prompts
    uint64_t last_used = 0;                      // order of use, for eviction
    uint64_t admitted = 0;                       // order of admission, for preemption
    std::vector<std::weak_ptr<CellHold>> holds;  // of an idle one; they end with their last owner

    bool is_held() const {
        return std::any_of(holds.begin(), holds.end(),
                           [](const auto & hold) { return !hold.expired(); });
    }
    /** Whether it can be given to a request. */
    bool is_free() const { return run == nullptr && !is_held(); }
    bool is_filling() const {
        return std::any_of(holds.begin(), holds.end(), [](const auto & held) {
            const std::shared_ptr<CellHold> hold = held.lock();
            return hold != nullptr && hold->is_filling;
        });
    }
};

}  // namespace r1

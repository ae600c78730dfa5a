// Sequence: one KV slot and the run that has it, if any. Engine thread only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include <llama.h>

#include "core/engine/run.h"

namespace r1 {

/** Cells of an idle sequence that stay as they are while a session is saved from them or restored
 * into them, and as long as somebody has this. Used while the engine thread stands still. */
struct CellHold {
    llama_seq_id sequence = 0;
    std::size_t tokens = 0;
    bool is_filling = false;  // a restored session's values are still coming
    bool is_revoked = false;  // running streams needed the cells: they are somebody else's now
};

struct Sequence {
    llama_seq_id id = 0;
    std::unique_ptr<Run> run;                    // nullptr: idle, its cells kept for later prompts
    uint64_t last_used = 0;                      // order of use, for eviction
    uint64_t admitted = 0;                       // order of admission, for preemption
    std::vector<std::weak_ptr<CellHold>> holds;  // of an idle one; over when nobody has them

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

// Sequence: one KV slot and the run that has it, if any. Engine thread only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include <llama.h>

#include "core/run.h"

namespace r1 {

/** Cells of an idle sequence that stay as they are while a session is saved from them or restored
 * into them. Used by whoever the engine thread stands still for. */
struct CellHold {
    llama_seq_id sequence = 0;
    std::size_t tokens = 0;
    bool is_filling = false;  // a restored session's values are still coming
    bool is_revoked = false;  // running streams needed the cells: they are somebody else's now
};

struct Sequence {
    llama_seq_id id = 0;
    std::unique_ptr<Run> run;  // nullptr: idle, its cells kept for later prompts
    uint64_t last_used = 0;    // order of use, for eviction
    uint64_t admitted = 0;     // order of admission, for preemption
    std::vector<std::shared_ptr<CellHold>> holds;  // of an idle one

    /** Whether it can be given to a request. */
    bool is_free() const { return run == nullptr && holds.empty(); }
    bool is_filling() const {
        return std::any_of(holds.begin(), holds.end(),
                           [](const auto & hold) { return hold->is_filling; });
    }
};

}  // namespace r1

// Sequence: one KV slot and the run that has it, if any. Engine thread only.
#pragma once

#include <cstdint>
#include <memory>

#include <llama.h>

#include "core/run.h"

namespace r1 {

struct Sequence {
    llama_seq_id id = 0;
    std::unique_ptr<Run> run;  // nullptr: idle, its cells kept for later prompts
    uint64_t last_used = 0;    // order of use, for eviction
    uint64_t admitted = 0;     // order of admission, for preemption
};

}  // namespace r1

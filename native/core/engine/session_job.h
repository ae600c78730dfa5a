// Saves and restores a session's cells, piece by piece between the engine's steps. Blocks; runs on
// its own thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/backend/cache.h"
#include "core/engine/saved_session.h"
#include "core/engine/scheduler.h"
#include "core/engine/step_gate.h"

namespace r1 {

/** The objects that a job uses while the engine thread is paused for it. */
struct CellAccess {
    llama_memory_t memory;
    Scheduler & scheduler;
    uint32_t streams;  // of the cache: shares are streams to llama.cpp
    const CellShape & shape;
    std::size_t piece_bytes;  // what is copied, then hashed and written or read, at a time
};

/**
 * Writes a session: `front` (everything up to the length of the cells), the held cells and the
 * seal. `hold` nullptr: no cells. The hold is not released here.
 *
 * Throws Failure: StateInvalid when the hold was revoked, Aborted when `cancelled`, Disposed, and
 * the sink's errors.
 */
void write_session(StepGate::Visitor & visitor, const CellAccess & access,
                   const std::shared_ptr<CellHold> & hold, const std::vector<uint8_t> & front,
                   const std::vector<uint8_t> & key, ByteSink & sink,
                   const std::atomic<bool> & cancelled);

/**
 * Puts the cells of a session that was read into an idle sequence, kept for `session` alone.
 *
 * Throws Failure: QueueFull, ContextFull, StateInvalid when the file has changed meanwhile,
 * Aborted, Disposed, IoFailed. Then nothing of it is left.
 */
void restore_cells(StepGate::Visitor & visitor, const CellAccess & access,
                   const SavedSession & saved, uint64_t session,
                   const std::atomic<bool> & cancelled);

}  // namespace r1

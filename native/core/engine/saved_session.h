// A saved session as bytes, read and checked completely before anything uses it. Blocks; not on the
// engine thread.
//
//   8 bytes "R1SESS\0\2" | u32 length of the head | the head, JSON in UTF-8 |
//   u32 number of tokens | their ids, i32 | u64 length of the cells | the cells (cell_layout.h) |
//   seal: SHA-256 of all before, or with a key HMAC-SHA-256
//
// Numbers are little-endian.
#pragma once

#include <llama.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/cell_layout.h"
#include "core/files/byte_store.h"
#include "core/files/sha256.h"

namespace r1 {

constexpr std::array<uint8_t, 7> session_magic{'R', '1', 'S', 'E', 'S', 'S', 0};
constexpr uint8_t session_format = 2;
/** The head holds a conversation's messages; a longer one is refused. */
constexpr uint32_t max_head_bytes = 8u << 20;

/** A session that was found complete. */
struct SavedSession {
    std::string problem;  // why its cells cannot be restored; empty if they can
    std::shared_ptr<ByteSource> source;
    std::string head;
    std::vector<llama_token> tokens;  // what the cells hold; empty: no cells
    CellLayout layout;
    uint64_t cells_at = 0;
    // To check that a file is still the same when its cells are read from it.
    Seal until_cells{{}};
    Digest seal{};
};

/**
 * @param key Empty: what was sealed without a key; such a seal proves only that bytes are whole.
 * @param shape What cells must look like.
 * @param vocabulary Ids of tokens are below it.
 * Throws Failure: StateInvalid, StateMismatch (another format), IoFailed, Aborted when `cancelled`.
 */
SavedSession read_session(std::shared_ptr<ByteSource> source, const std::vector<uint8_t> & key,
                          const CellShape & shape, int32_t vocabulary,
                          const std::atomic<bool> & cancelled);

}  // namespace r1

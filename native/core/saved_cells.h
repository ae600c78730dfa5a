// Saved cells of one sequence in a form that fits every layout of the cache, whatever the number of
// sequences, and their check. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace r1 {

/**
 * llama.cpp writes a sequence's state as: magic, sequence, number of streams, then for each stream
 * its number of cells and, where there are some, the cells (llama-kv-cache.cpp, state_write; 32
 * bits each). A cache in one pool has one stream, one of shares a stream for each sequence, and it
 * reads back only its own number of them. Portable here means: one stream.
 *
 * @return The bytes with one stream; empty when they are not of this form.
 */
std::vector<uint8_t> to_portable_cells(std::vector<uint8_t> state);

/** The bytes for a cache of so many streams; empty when they are not portable cells of `tokens`
 * tokens. */
std::vector<uint8_t> from_portable_cells(std::vector<uint8_t> state, std::size_t tokens,
                                         uint32_t streams);

}  // namespace r1

// vocabulary_check: checks every string of a vocabulary before llama.cpp reads it, because
// llama.cpp ends the process on two equal tokens or on a merge that is not a pair. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace r1 {

/**
 * An array of strings as it stands in a GGUF file: length (u64) and text of each element in turn.
 * Owns nothing. starts[i] is where the text of element i begins; it ends 8 bytes before the next
 * one's, and the last one's where the bytes end.
 */
struct StringTable {
    const uint8_t * bytes = nullptr;
    uint32_t size = 0;
    const uint32_t * starts = nullptr;
    uint32_t count = 0;
};

/** Whether every element lies within the bytes, in order. Call this before the others. */
bool is_sound(const StringTable & table);

/**
 * The first two elements that llama.cpp reads as the same token: it reads only up to a NUL byte. It
 * distinguishes empty ones. `seed` must be unpredictable for a file: a vocabulary made to collide
 * would slow its own check down.
 */
std::optional<std::pair<uint32_t, uint32_t>> first_equal(const StringTable & table, uint32_t seed);

/**
 * The first element that is not a pair of two texts separated by one space; nothing if there is
 * none.
 */
std::optional<uint32_t> first_no_pair(const StringTable & table);

}  // namespace r1

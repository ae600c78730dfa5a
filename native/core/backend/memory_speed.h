// memory_speed: measures how fast all cores together read system memory, which bounds the decoding
// speed of a model there. Blocks the calling thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace r1 {

/**
 * Bytes a second that `threads` threads (1 to 512) read together, each from its own block that is
 * too large for the caches. Takes `time` in addition to filling the blocks.
 */
double memory_read_speed(uint32_t threads, std::chrono::milliseconds time);

}  // namespace r1

// memory_speed: how fast this machine's cores together read system memory, which bounds how fast a
// model in it decodes. Blocks the calling thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace r1 {

/** Bytes a second that `threads` threads together read, each from a block of its own that no cache
 * holds; takes `time` beside filling the blocks. 1 to 512 threads. */
double memory_read_speed(uint32_t threads, std::chrono::milliseconds time);

}  // namespace r1

// Takes large blocks of memory from the system and gives them back. Any thread.
#pragma once

#include <cstddef>

namespace r1::memory {

/** A block of zeros whose pages use no memory until they are written; null: the system has none. */
void * take(std::size_t size);

/** Gives a block back, in parts where the system allows that (core/files/large_bytes.h). */
void give_back(void * block, std::size_t size);

/**
 * Gives back the whole pages of a range, in small parts; their content is lost. Does nothing on
 * Windows, where it is not needed.
 */
void drop_pages(void * from, std::size_t size);

}  // namespace r1::memory

// Gives large memory back to the system in small parts. The thread that frees the model or context.
//
// llama.cpp frees a buffer by one munmap(). While the system takes the pages back, about 0.1 s per
// GiB, every other thread of the process that maps or unmaps memory waits: the garbage collector of
// the JavaScript thread is one. So the pages are emptied before, 2 MiB at a time, and what is left
// for munmap() costs nothing. Call these just before llama.cpp frees; what the pages held is lost.
// Memory of a GPU and memory that a driver has pinned are left alone. Nothing happens on Windows.
#pragma once

#include <llama.h>

namespace r1 {

/** The cells of K and V: plain, sliding-window and hybrid caches. `memory` may be null. */
void release_cell_pages(llama_memory_t memory, int32_t layers);

/** The weights, read or mapped. */
void release_weight_pages(const llama_model * model);

}  // namespace r1

// Returns large blocks of memory to the system in small parts. Runs on the thread that frees the
// model or context.
//
// llama.cpp frees a buffer by one munmap(). While the system takes the pages back, about 0.1 s per
// GiB, every other thread of the process that maps or unmaps memory waits, such as the garbage
// collector of the JavaScript thread. So the pages are released before, 2 MiB at a time, and the
// final munmap() costs nothing. Call these just before llama.cpp frees; the content of the pages is
// lost. GPU memory and memory pinned by a driver are left alone. Does nothing on Windows.
#pragma once

#include <llama.h>

namespace r1 {

/** The cells of K and V: plain, sliding-window and hybrid caches. `memory` may be null. */
void release_cell_pages(llama_memory_t memory, int32_t layers);

/** The weights, read or mapped. */
void release_weight_pages(const llama_model * model);

}  // namespace r1

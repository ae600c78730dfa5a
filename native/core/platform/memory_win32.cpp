// Takes large blocks of memory by VirtualAlloc(). Any thread.
#include "core/platform/memory.h"
#include "core/platform/win32/windows_header.h"

namespace r1::memory {

void * take(std::size_t size) {
    return VirtualAlloc(nullptr, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void give_back(void * block, std::size_t) { VirtualFree(block, 0, MEM_RELEASE); }

void drop_pages(void *, std::size_t) {}

}  // namespace r1::memory

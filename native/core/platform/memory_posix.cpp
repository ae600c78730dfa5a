// Takes large blocks of memory by mmap(). Any thread.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "core/platform/memory.h"

namespace r1::memory {
namespace {

// Returned in about half a millisecond. A multiple of every page size.
constexpr std::size_t part_bytes = std::size_t{2} << 20;

}  // namespace

void * take(std::size_t size) {
    void * found = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return found == MAP_FAILED ? nullptr : found;
}

void give_back(void * block, std::size_t size) {
    auto * bytes = static_cast<uint8_t *>(block);
    for (std::size_t at = 0; at < size; at += part_bytes) {
        munmap(bytes + at, std::min(part_bytes, size - at));
    }
}

void drop_pages(void * from, std::size_t size) {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto base = reinterpret_cast<std::uintptr_t>(from);
    const std::uintptr_t end = (base + size) / page * page;
    for (std::uintptr_t at = (base + page - 1) / page * page; at < end; at += part_bytes) {
        madvise(reinterpret_cast<void *>(at), std::min<std::size_t>(part_bytes, end - at),
                MADV_DONTNEED);
    }
}

}  // namespace r1::memory

// LargeBytes: a block of memory of any size. Returned to the system in small parts, because other
// threads of the process cannot map memory while one call returns hundreds of megabytes.
#include "core/files/large_bytes.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace r1 {
namespace {

// Returned in about half a millisecond. A multiple of every page size.
constexpr std::size_t part_bytes = std::size_t{2} << 20;

}  // namespace

LargeBytes::LargeBytes(std::size_t size) : size_(size) {
    if (size == 0) {
        return;
    }
    void * found = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED) {
        throw std::bad_alloc();
    }
    bytes_ = static_cast<uint8_t *>(found);
}

LargeBytes::~LargeBytes() {
    for (std::size_t at = 0; at < size_; at += part_bytes) {
        munmap(bytes_ + at, std::min(part_bytes, size_ - at));
    }
}

}  // namespace r1

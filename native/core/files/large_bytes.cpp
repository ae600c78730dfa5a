// LargeBytes: a block of memory of any size. Returned to the system in small parts, because other
// threads of the process cannot map memory while one call returns hundreds of megabytes.
#include "core/files/large_bytes.h"

#include <new>

#include "core/platform/memory.h"

namespace r1 {

LargeBytes::LargeBytes(std::size_t size) : size_(size) {
    if (size == 0) {
        return;
    }
    void * found = memory::take(size);
    if (found == nullptr) {
        throw std::bad_alloc();
    }
    bytes_ = static_cast<uint8_t *>(found);
}

LargeBytes::~LargeBytes() {
    if (bytes_ != nullptr) {
        memory::give_back(bytes_, size_);
    }
}

}  // namespace r1

// LargeBytes: a block of memory of any size. Returned to the system in small parts, because other
// threads of the process cannot map memory while one call returns hundreds of megabytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace r1 {

class LargeBytes {
public:
    /**
     * Its content is zero, and its pages use no memory until they are written. Throws
     * std::bad_alloc.
     */
    explicit LargeBytes(std::size_t size);
    /** Blocks: about 0.2 ms a megabyte that was written. Not on a JavaScript thread. */
    ~LargeBytes();
    LargeBytes(const LargeBytes &) = delete;
    LargeBytes & operator=(const LargeBytes &) = delete;

    uint8_t * data() { return bytes_; }
    const uint8_t * data() const { return bytes_; }
    std::size_t size() const { return size_; }

private:
    uint8_t * bytes_ = nullptr;
    std::size_t size_;
};

}  // namespace r1

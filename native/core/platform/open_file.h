// Reads and writes at offsets of a file that JavaScript opened and closes. Blocks. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace r1::open_file {

/** How many bytes a call moved; `error` is that of errno, 0 if there was none. */
struct Moved {
    std::size_t bytes;
    int error;
};

/** Size of an ordinary file; -1 if it is none. `error` as in Moved. */
struct Size {
    int64_t bytes;
    int error;
};

/** `file` is a descriptor of Node's: on Windows the numbers belong to Node's own C library. */
Size size_of(int file);

/** Removes the content. Returns 0 or an error of errno. */
int empty(int file);

/** Reads up to `count` bytes at `at`; 0 bytes without an error: the file ends there. */
Moved read_at(int file, void * to, std::size_t count, uint64_t at);

/** Writes up to `count` bytes at `at`. */
Moved write_at(int file, const void * from, std::size_t count, uint64_t at);

}  // namespace r1::open_file

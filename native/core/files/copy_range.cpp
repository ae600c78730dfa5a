// copy_range: copies bytes from one open file to another inside the kernel and keeps holes. Any
// thread; blocks while the kernel copies.
#include "core/files/copy_range.h"

#ifdef __linux__
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#endif

namespace r1 {

#ifdef __linux__
namespace {

// Where the next data begins at or behind `at`, at most `end`. A file system without holes has data
// everywhere.
int64_t next_data(int file, int64_t at, int64_t end) {
    const off_t data = lseek(file, at, SEEK_DATA);
    if (data >= 0) return std::min<int64_t>(data, end);
    return errno == ENXIO ? end : at;
}

// Where the data that begins at `at` ends, at most `end`.
int64_t data_end(int file, int64_t at, int64_t end) {
    const off_t hole = lseek(file, at, SEEK_HOLE);
    return hole > at ? std::min<int64_t>(hole, end) : end;
}

// Copies one run of data; returns where it stopped.
int64_t copy_data(const CopyRange & range, int64_t at, int64_t end) {
    while (at < end) {
        off_t from = at;
        off_t to = range.to_offset + (at - range.from_offset);
        const ssize_t copied = copy_file_range(range.from, &from, range.to, &to,
                                               static_cast<std::size_t>(end - at), 0);
        if (copied < 0 && errno == EINTR) continue;
        if (copied <= 0) break;
        at += copied;
    }
    return at;
}

}  // namespace

int64_t copy_range(const CopyRange & range) {
    struct stat facts = {};
    if (range.bytes <= 0 || range.from_offset < 0 || range.to_offset < 0 ||
        fstat(range.from, &facts) != 0)
        return 0;
    const int64_t end = std::min<int64_t>(range.from_offset + range.bytes, facts.st_size);
    int64_t at = range.from_offset;
    while (at < end) {
        at = next_data(range.from, at, end);
        const int64_t stop = data_end(range.from, at, end);
        const int64_t reached = copy_data(range, at, stop);
        if (reached < stop) return reached - range.from_offset;
        at = stop;
    }
    return std::max<int64_t>(0, at - range.from_offset);
}
#else
int64_t copy_range(const CopyRange &) { return 0; }
#endif

}  // namespace r1

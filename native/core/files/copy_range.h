// copy_range: copies bytes from one open file to another inside the kernel and keeps holes. Any
// thread; blocks while the kernel copies.
#pragma once

#include <cstdint>

namespace r1 {

struct CopyRange {
    int from = -1;  // open for reading; its file position is lost
    int64_t from_offset = 0;
    int to = -1;  // open for writing, not for appending; no data lies in the range yet, and the
                  // file reaches to its end
    int64_t to_offset = 0;
    int64_t bytes = 0;
};

/**
 * Copies by copy_file_range, which shares extents where the file system can do that. Holes of the
 * source are left out. Returns how many bytes from the start are copied: all, or fewer if the
 * system cannot do it, the source ends or an error occurred. The caller continues from there in
 * another way, which reports the reason. Always 0 on systems without copy_file_range.
 */
int64_t copy_range(const CopyRange & range);

}  // namespace r1

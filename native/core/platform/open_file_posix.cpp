// Reads and writes at offsets by pread() and pwrite(). Any thread.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/platform/open_file.h"

namespace r1::open_file {
namespace {

// Repeats a call that a signal interrupted.
template <typename Call>
Moved moved(const Call & call) {
    ssize_t done = 0;
    do {
        done = call();
    } while (done < 0 && errno == EINTR);
    return done < 0 ? Moved{0, errno} : Moved{static_cast<std::size_t>(done), 0};
}

}  // namespace

Size size_of(int file) {
    struct stat facts = {};
    if (fstat(file, &facts) != 0) {
        return {-1, errno};
    }
    return {S_ISREG(facts.st_mode) ? static_cast<int64_t>(facts.st_size) : -1, 0};
}

int empty(int file) { return ftruncate(file, 0) == 0 ? 0 : errno; }

Moved read_at(int file, void * to, std::size_t count, uint64_t at) {
    return moved([&] { return pread(file, to, count, static_cast<off_t>(at)); });
}

Moved write_at(int file, const void * from, std::size_t count, uint64_t at) {
    return moved([&] { return pwrite(file, from, count, static_cast<off_t>(at)); });
}

}  // namespace r1::open_file

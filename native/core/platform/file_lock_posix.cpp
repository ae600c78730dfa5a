// Locks files by flock(). Any thread.
#include "core/platform/file_lock.h"

#include "core/failure.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace r1 {

namespace {

[[noreturn]] void fail(const std::string & path, int error) {
    throw Failure(ErrorCode::IoFailed, "\"" + path + "\" cannot be opened to be locked: " +
                                           std::system_category().message(error) + ".");
}

}  // namespace

std::pair<FileLock::State, FileLock> FileLock::take(const std::string & path) {
    // For writing: over NFS an exclusive lock needs that.
    const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0) {
        fail(path, errno);
    }
    FileLock lock(file);
    int result = 0;
    do {
        result = flock(file, LOCK_EX | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    if (result == 0) {
        return {State::Held, std::move(lock)};
    }
    return {errno == EWOULDBLOCK ? State::Busy : State::Unsupported, FileLock()};
}

void FileLock::release() {
    if (file_ != NONE) {
        close(static_cast<int>(std::exchange(file_, NONE)));
    }
}

}  // namespace r1

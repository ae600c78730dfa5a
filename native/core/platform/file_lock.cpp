// Locks files by flock(), on Windows by LockFileEx(). Any thread.
#include "core/platform/file_lock.h"

#include "core/failure.h"

#ifdef _WIN32
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#endif

#include <system_error>

namespace r1 {

namespace {

[[noreturn]] void fail(const std::string & path, int error) {
    throw Failure(ErrorCode::IoFailed, "\"" + path + "\" cannot be opened to be locked: " +
                                           std::system_category().message(error) + ".");
}

}  // namespace

#ifdef _WIN32

namespace {

/** Locked is a byte far behind any content, since Windows keeps others from reading locked ones. */
constexpr DWORD FAR_AWAY = 0x7fffffff;

std::wstring wide(const std::string & text) {
    const int size = static_cast<int>(text.size());
    const int length = MultiByteToWideChar(CP_UTF8, 0, text.data(), size, nullptr, 0);
    std::wstring made(static_cast<std::size_t>(length), L'\0');
    MultiByteToWideChar(CP_UTF8, 0, text.data(), size, made.data(), length);
    return made;
}

}  // namespace

std::pair<FileLock::State, FileLock> FileLock::take(const std::string & path) {
    const HANDLE file = CreateFileW(wide(path).c_str(), GENERIC_READ | GENERIC_WRITE,
                                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                    OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (file == INVALID_HANDLE_VALUE) {
        fail(path, static_cast<int>(GetLastError()));
    }
    FileLock lock(reinterpret_cast<std::intptr_t>(file));
    OVERLAPPED place{};
    place.Offset = FAR_AWAY;
    place.OffsetHigh = FAR_AWAY;
    if (LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place)) {
        return {State::Held, std::move(lock)};
    }
    const bool is_busy = GetLastError() == ERROR_LOCK_VIOLATION;
    return {is_busy ? State::Busy : State::Unsupported, FileLock()};
}

void FileLock::release() {
    if (file_ != NONE) {
        CloseHandle(reinterpret_cast<HANDLE>(std::exchange(file_, NONE)));
    }
}

#else

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

#endif

}  // namespace r1

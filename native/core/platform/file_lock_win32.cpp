// Locks files by LockFileEx(). Any thread.
#include "core/platform/file_lock.h"

#include <system_error>

#include "core/failure.h"
#include "core/platform/win32/wide.h"
#include "core/platform/win32/windows_header.h"

namespace r1 {

namespace {

[[noreturn]] void fail(const std::string & path, DWORD error) {
    throw Failure(ErrorCode::IoFailed, "\"" + path + "\" cannot be opened to be locked: " +
                                           std::system_category().message(static_cast<int>(error)) +
                                           ".");
}

/** Locked is a byte far behind any content, since Windows keeps others from reading locked ones. */
constexpr DWORD FAR_AWAY = 0x7fffffff;

}  // namespace

std::pair<FileLock::State, FileLock> FileLock::take(const std::string & path) {
    const HANDLE file = CreateFileW(wide(path).c_str(), GENERIC_READ | GENERIC_WRITE,
                                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                    OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (file == INVALID_HANDLE_VALUE) {
        fail(path, GetLastError());
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

}  // namespace r1

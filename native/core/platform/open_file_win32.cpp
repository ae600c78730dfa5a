// Reads and writes at offsets by ReadFile() and WriteFile(). Any thread.
#include <algorithm>
#include <cerrno>

#include "core/platform/open_file.h"
#include "core/platform/win32/node_handle.h"
#include "core/platform/win32/windows_header.h"

namespace r1::open_file {
namespace {

int errno_of(DWORD error) {
    switch (error) {
        case ERROR_DISK_FULL:
        case ERROR_HANDLE_DISK_FULL: return ENOSPC;
        case ERROR_ACCESS_DENIED: return EACCES;
        case ERROR_INVALID_HANDLE: return EBADF;
        default: return EIO;
    }
}

OVERLAPPED place(uint64_t at) {
    OVERLAPPED made{};
    made.Offset = static_cast<DWORD>(at & 0xffffffffU);
    made.OffsetHigh = static_cast<DWORD>(at >> 32U);
    return made;
}

/** One call moves fewer than 4 GiB. */
DWORD part(std::size_t count) {
    return static_cast<DWORD>(std::min<std::size_t>(count, 0x40000000U));
}

}  // namespace

Size size_of(int file) {
    LARGE_INTEGER size{};
    const HANDLE handle = handle_of(file);
    if (GetFileType(handle) != FILE_TYPE_DISK) {
        return {-1, 0};
    }
    if (!GetFileSizeEx(handle, &size)) {
        return {-1, errno_of(GetLastError())};
    }
    return {size.QuadPart, 0};
}

int empty(int file) {
    FILE_END_OF_FILE_INFO end{};
    return SetFileInformationByHandle(handle_of(file), FileEndOfFileInfo, &end, sizeof(end))
               ? 0
               : errno_of(GetLastError());
}

Moved read_at(int file, void * to, std::size_t count, uint64_t at) {
    OVERLAPPED where = place(at);
    DWORD done = 0;
    if (ReadFile(handle_of(file), to, part(count), &done, &where)) {
        return {done, 0};
    }
    const DWORD error = GetLastError();
    return {0, error == ERROR_HANDLE_EOF ? 0 : errno_of(error)};
}

Moved write_at(int file, const void * from, std::size_t count, uint64_t at) {
    OVERLAPPED where = place(at);
    DWORD done = 0;
    if (WriteFile(handle_of(file), from, part(count), &done, &where)) {
        return {done, 0};
    }
    return {0, errno_of(GetLastError())};
}

}  // namespace r1::open_file

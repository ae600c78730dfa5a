// Finds the handle of a file that Node opened, by libuv, which Node exports. Any thread.
#include "core/platform/win32/node_handle.h"

#include "core/platform/win32/windows_header.h"

namespace r1 {

void * handle_of(int file) {
    using Function = void *(__cdecl *)(int);
    // Looked up by name, so that the program may have any name: it is this process's own.
    static const auto find = reinterpret_cast<Function>(
        reinterpret_cast<void *>(GetProcAddress(GetModuleHandleW(nullptr), "uv_get_osfhandle")));
    return find == nullptr ? INVALID_HANDLE_VALUE : find(file);
}

}  // namespace r1

// The own process, on Windows.
#include "core/platform/process.h"

#include <cstdlib>
#include <string>

#include "core/platform/win32/node_handle.h"
#include "core/platform/win32/windows_header.h"

namespace r1::process {
namespace {

// The descriptor connected to the parent (core/platform/child_process.h).
constexpr int LINK = 3;

/** Time between two checks. Unit: milliseconds. */
constexpr DWORD look_ms = 200;

}  // namespace

void end_now(int code) {
    TerminateProcess(GetCurrentProcess(), static_cast<UINT>(code));
    std::abort();
}

bool add_variable(const char * name, const char * value) {
    return std::getenv(name) == nullptr && _putenv((std::string(name) + "=" + value).c_str()) == 0;
}

void remove_variable(const char * name) { _putenv((std::string(name) + "=").c_str()); }

void wait_for_parent() {
    const HANDLE link = handle_of(LINK);
    if (link == INVALID_HANDLE_VALUE) {
        Sleep(INFINITE);
    }
    // A read that waits would hold up the writes of another thread: the system does the work on
    // such a pipe in order.
    while (PeekNamedPipe(link, nullptr, 0, nullptr, nullptr, nullptr)) {
        Sleep(look_ms);
    }
}

bool runs_exit_functions_alone() { return true; }

void die_quietly() { SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX); }

}  // namespace r1::process

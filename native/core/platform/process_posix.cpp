// The own process, on POSIX systems.
#include "core/platform/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace r1::process {
namespace {

// The descriptor connected to the parent (core/platform/child_process.h).
constexpr int LINK = 3;

}  // namespace

void end_now(int code) { _exit(code); }

bool add_variable(const char * name, const char * value) {
    return std::getenv(name) == nullptr && setenv(name, value, 0) == 0;
}

void remove_variable(const char * name) { unsetenv(name); }

void wait_for_parent() {
    char byte = 0;
    ssize_t got = 0;
    do {
        got = read(LINK, &byte, 1);
    } while (got > 0 || (got < 0 && errno == EINTR));
}

bool runs_exit_functions_alone() { return false; }

void die_quietly() {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
}

}  // namespace r1::process

// Gives a thread a lower priority than those that decode and those that run JavaScript.
#include "core/platform/background_thread.h"

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace r1 {

void step_back() noexcept {
#if defined(__linux__)
    // About a tenth of the share that other threads of the process get.
    constexpr int steps = 10;
    const auto thread = static_cast<id_t>(syscall(SYS_gettid));
    setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, thread) + steps);
#endif
}

}  // namespace r1

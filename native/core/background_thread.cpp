// Lets a thread step back behind those that decode and those that run JavaScript.
#include "core/background_thread.h"

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace r1 {

void step_back() noexcept {
#if defined(__linux__)
    // About a tenth of the share that other threads get.
    constexpr int nice = 10;
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), nice);
#endif
}

}  // namespace r1

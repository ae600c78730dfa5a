// Raises the priority of the calling thread by SetThreadPriority(), as ggml does.
#include "core/platform/thread_priority.h"
#include "core/platform/win32/windows_header.h"

namespace r1 {
namespace {

// Those of ggml-cpu.c.
int level_of(ggml_sched_priority priority) {
    switch (priority) {
        case GGML_SCHED_PRIO_MEDIUM: return THREAD_PRIORITY_ABOVE_NORMAL;
        case GGML_SCHED_PRIO_HIGH: return THREAD_PRIORITY_HIGHEST;
        case GGML_SCHED_PRIO_REALTIME: return THREAD_PRIORITY_TIME_CRITICAL;
        default: return THREAD_PRIORITY_NORMAL;
    }
}

}  // namespace

bool raise_this_thread(ggml_sched_priority priority) {
    return SetThreadPriority(GetCurrentThread(), level_of(priority)) != 0;
}

}  // namespace r1

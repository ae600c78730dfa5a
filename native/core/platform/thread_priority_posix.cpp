// Raises the priority of the calling thread by the real-time policy SCHED_FIFO, as ggml does.
#include <pthread.h>

#include "core/platform/thread_priority.h"

namespace r1 {
namespace {

// Those of ggml-cpu.c.
int fifo_of(ggml_sched_priority priority) {
    switch (priority) {
        case GGML_SCHED_PRIO_MEDIUM: return 40;
        case GGML_SCHED_PRIO_HIGH: return 80;
        case GGML_SCHED_PRIO_REALTIME: return 90;
        default: return 0;
    }
}

}  // namespace

bool raise_this_thread(ggml_sched_priority priority) {
    sched_param wanted{};
    wanted.sched_priority = fifo_of(priority);
    return wanted.sched_priority == 0 ||
           pthread_setschedparam(pthread_self(), SCHED_FIFO, &wanted) == 0;
}

}  // namespace r1

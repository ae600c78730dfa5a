// Raises the priority of the calling thread.
#pragma once

#include <ggml.h>

namespace r1 {

/**
 * Raises the calling thread's priority as ggml raises its workers'. Returns whether the system
 * allows it. GGML_SCHED_PRIO_NORMAL: does nothing.
 */
bool raise_this_thread(ggml_sched_priority priority);

}  // namespace r1

// Runs a function on a thread with a stack of a given size. Any thread.
#pragma once

#include <cstddef>

namespace r1 {

/**
 * Runs `work(data)`, which must not throw, on a thread of its own and waits for its end.
 *
 * Returns false if the system gives no such thread; `work` did not run then.
 */
bool run_deep_thread(std::size_t stack_bytes, void (*work)(void *), void * data);

}  // namespace r1

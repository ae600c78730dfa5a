// Reaper: one thread of the process that frees what must not be freed on a JavaScript thread. It is
// started before there is anything to free, so closing works when the system gives no more threads.
#pragma once

#include <functional>

namespace r1::reaper {

/** Starts the thread, once a process. Any thread. Throws Failure(ResourceExhausted); a later call
 * tries again. */
void ensure();

/**
 * Runs `work`, which must not throw, on the reaper's thread, one after the other; the process does
 * not end before it is done and destroyed. On the calling thread if ensure() never succeeded. Any
 * thread.
 */
void post(std::function<void()> work) noexcept;

}  // namespace r1::reaper

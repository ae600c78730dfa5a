// Reaper: one thread of the process that frees objects which must not be freed on a JavaScript
// thread. It is started before any of them exists, so closing works even if the system allows no
// more threads.
#pragma once

#include <functional>

namespace r1::reaper {

/**
 * Starts the thread, once in a process. Any thread. Throws Failure(ResourceExhausted); a later call
 * tries again.
 */
void ensure();

/**
 * Runs `work`, which must not throw, on the reaper's thread, one after the other; the process does
 * not end before it is done and destroyed. On the calling thread if ensure() never succeeded. Any
 * thread.
 */
void post(std::function<void()> work) noexcept;

}  // namespace r1::reaper

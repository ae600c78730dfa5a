// Runs work on a thread with a sufficiently large stack, for llama.cpp code that recurses once for
// each character. Any thread.
#pragma once

#include <cstddef>
#include <functional>

namespace r1 {

/**
 * Runs `work` on a thread of its own and waits for its end. What it throws comes out here.
 *
 * @param bytes Size of the stack. Memory is taken for what is used of it.
 * Throws Failure(ResourceExhausted) where the system gives no such thread.
 */
void run_on_deep_stack(std::size_t bytes, const std::function<void()> & work);

}  // namespace r1

// ThreadSupply: checks whether the system allows more threads, before code that ends the process
// when it gets none (libgomp, ggml's own pool). Any thread.
#pragma once

#include <cstddef>
#include <string>

namespace r1::thread_supply {

/** Starts up to `count` threads at once, ends them again, and returns how many could be started. */
std::size_t available(std::size_t count);

/** Throws Failure(ResourceExhausted) if the system does not give `count` more threads; `purpose`
 * ends the sentence "The system gives no thread ...". */
void require(std::size_t count, const std::string & purpose);

/** Makes the next calls of available() find at most `count` threads; SIZE_MAX: no limit. For
 * tests. */
void limit_for_tests(std::size_t count);

}  // namespace r1::thread_supply

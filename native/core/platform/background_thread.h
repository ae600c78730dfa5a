// Gives a thread a lower priority than those that decode and those that run JavaScript.
#pragma once

namespace r1 {

/**
 * Lowers the calling thread's priority for the rest of its life: if there are more threads than
 * cores, the others go first. Linux only; elsewhere it does nothing.
 */
void step_back() noexcept;

}  // namespace r1

// Lets a thread step back behind those that decode and those that run JavaScript.
#pragma once

namespace r1 {

/**
 * For the rest of the calling thread's life: where there are more threads than cores, the others go
 * first. Linux only; elsewhere it does nothing.
 */
void step_back() noexcept;

}  // namespace r1

// The own process: its end, its environment, and the link to its parent.
#pragma once

namespace r1::process {

/** Ends the process at once, without exit functions. Any thread. */
[[noreturn]] void end_now(int code);

/** Sets a variable for libraries that are loaded later; false: it was set, or cannot be. */
bool add_variable(const char * name, const char * value);

/** Removes a variable that add_variable() set. */
void remove_variable(const char * name);

/**
 * Waits until descriptor 3, the link to the parent, closes. Blocks for as long as the parent keeps
 * it open. Bytes that arrive are lost, or fill the pipe.
 */
void wait_for_parent();

/** Whether the system has ended all other threads before it runs exit functions. */
bool runs_exit_functions_alone();

/** Makes an abort of this process leave no memory dump and show no dialogue. */
void die_quietly();

}  // namespace r1::process

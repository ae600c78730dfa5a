// The handle of a file that Node opened. Any thread.
#pragma once

namespace r1 {

/**
 * Returns the HANDLE of a descriptor of Node's, which its own C library numbers; -1 (as a pointer):
 * it is not open. The caller does not close it.
 */
void * handle_of(int file);

}  // namespace r1

// Starts programs without copying this process's page tables. Any thread.
//
// Node starts a child by fork(), which copies the page tables of the parent: about 0.1 s per GiB of
// memory in use, during which the JavaScript thread is blocked. A model's cells are such memory.
// posix_spawn() shares the parent's memory until the new program begins. Linux only: on macOS Node
// already uses posix_spawn(), and Windows has no fork().
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace r1::child_process {

/** A running child. The caller owns both descriptors, which are non-blocking and close on exec. */
struct Child {
    int pid;
    /** Read end of a pipe: what the child writes to descriptor 2. */
    int errors;
    /** One end of a pair of connected sockets; the other one is the child's descriptor 3. */
    int link;
};

/** How a child ended: `code` is -1 if a signal ended it, `signal` is 0 if none did. */
struct End {
    int code;
    int signal;
};

/** Whether start() works on this system. */
bool is_supported();

/**
 * Starts the program `file` with `arguments` (without the program's own name) and exactly the
 * environment `environment` ("NAME=value"). Descriptors 0 and 1 of the child are /dev/null, signals
 * have their default actions. Blocks the calling thread for about a millisecond.
 *
 * Throws Failure: ResourceExhausted (descriptors, processes, memory), IoFailed (no such program).
 */
Child start(const std::string & file, const std::vector<std::string> & arguments,
            const std::vector<std::string> & environment);

/** The end of a child that start() returned, once; nullopt while it runs. Never waits. */
std::optional<End> reap(int pid);

}  // namespace r1::child_process

// Shutdown hooks of one environment and of the whole process, for work that must end before
// JavaScript or the process does.
#pragma once

#include <node_api.h>

#include <chrono>
#include <functional>
#include <memory>

namespace r1 {

/**
 * Keeps the addon's code loaded until the process ends: a worker that ends lets the addon go, while
 * threads and exit functions still need it.
 */
void keep_code_loaded();

/**
 * Calls a function when its environment ends (a worker ends, the process ends by itself), newest
 * hook first. JavaScript thread. Destroying the hook on that thread removes it.
 */
class EnvironmentHook {
public:
    EnvironmentHook(napi_env env, std::function<void()> run);
    ~EnvironmentHook();
    EnvironmentHook(const EnvironmentHook &) = delete;
    EnvironmentHook & operator=(const EnvironmentHook &) = delete;

private:
    static void call(void * data);

    napi_env env_;
    std::function<void()> run_;
    bool armed_ = true;
};

/**
 * A hook for work on native threads when the process exits without ending its environments
 * (process.exit and an uncaught error do that): native threads must not run while the libraries'
 * static objects are destroyed. Destroying the hook, on any thread, removes it.
 */
class ProcessHook {
public:
    using Deadline = std::chrono::steady_clock::time_point;

    /**
     * `ask` asks the work to end and returns at once; all are asked before any is waited for, so
     * that no work waits for other work that was not asked yet. `wait` waits for its end until the
     * deadline, and says whether it came.
     */
    ProcessHook(std::function<void()> ask, std::function<bool(Deadline)> wait);
    ~ProcessHook();
    ProcessHook(const ProcessHook &) = delete;
    ProcessHook & operator=(const ProcessHook &) = delete;

    /**
     * Ends all registered work and starts the shutdown: is_ending() is true from here on. All its
     * calls together wait for at most five seconds. Work that has not ended by then is in a read or
     * a driver that does not return, and the process leaves without running the libraries' exit
     * functions, with `exit_code`, when the C library calls its own. JavaScript thread.
     */
    static void run_all(int exit_code);
    /**
     * Any thread. Whether the process is ending, so that no work on other threads may start any
     * more.
     */
    static bool is_ending();
    /**
     * Registers with the C library anew, so that the hooks run before what has been constructed
     * since. Call after a library's first use. It covers exits that JavaScript does not hear of;
     * what a job constructs while it runs comes after it, so those that JavaScript hears of call
     * run_all().
     */
    static void run_before_existing_hooks();

private:
    int key_;
};

/** How long the end of an environment or of the process waits for work that was asked to end. */
constexpr std::chrono::seconds longest_end{5};

}  // namespace r1

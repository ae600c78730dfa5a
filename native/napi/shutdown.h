// What must end before JavaScript or the process does: hooks of one environment, and of the whole
// process.
#pragma once

#include <node_api.h>

#include <chrono>
#include <functional>
#include <memory>

namespace r1 {

/**
 * Calls a function when its environment goes down (a worker ends, the process ends by itself),
 * newest hook first. JavaScript thread. Destroying the hook on that thread takes it back.
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
 * What runs beside the JavaScript threads when the process exits without taking its environments
 * down (process.exit and an uncaught error do that): native threads must not run on while the
 * libraries' static objects are destroyed. Destroying it, on any thread, takes it back.
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
     * Ends all that is there, and begins the end: is_ending() is true from here on. Waits for most
     * five seconds in all its calls together; what has not ended by then is in a read or a driver
     * that does not return, and the process leaves without running the libraries' exit functions,
     * with `exit_code`, when the C library calls its own. JavaScript thread.
     */
    static void run_all(int exit_code);
    /** Any thread. Nothing that runs beside the JavaScript thread is to be started any more. */
    static bool is_ending();
    /**
     * Registers with the C library anew, so that the hooks run before what has been constructed
     * since. Call after a library's first use. It covers exits that JavaScript does not hear of;
     * what a job constructs while it runs comes after it, so those that JavaScript hears of call
     * run_all().
     */
    static void run_before_what_exists_now();

private:
    int key_;
};

/** How long the end of an environment or of the process waits for work that was asked to end. */
constexpr std::chrono::seconds longest_end{5};

}  // namespace r1

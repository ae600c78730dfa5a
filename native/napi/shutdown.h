// What must end before JavaScript or the process does: hooks of one environment, and of the whole
// process.
#pragma once

#include <node_api.h>

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
 * Calls a function when the process exits without taking its environments down (process.exit and an
 * uncaught error do that): native threads must not run on while the libraries' static objects are
 * destroyed. Destroying it, on any thread, takes it back.
 */
class ProcessHook {
public:
    explicit ProcessHook(std::function<void()> run);
    ~ProcessHook();
    ProcessHook(const ProcessHook &) = delete;
    ProcessHook & operator=(const ProcessHook &) = delete;

    /** Calls all that are there, and begins the end: is_ending() is true from here on. JavaScript
     * thread; more than once does no harm. */
    static void run_all();
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

/** Runs `work`, which must not throw, on a thread of its own that nobody hears of; the process does
 * not end before it is done and destroyed. Any thread. */
void run_aside(std::function<void()> work);

}  // namespace r1

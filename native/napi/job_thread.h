// JobThread: one thread for one job. The environment and the process wait for it before they end.
// `done` is called on the JavaScript thread.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "napi/shutdown.h"

namespace r1 {

/** What a job does if the system allows no thread. */
enum class NoThread {
    Refuse,  // start() throws
    Reaper,  // the reaper's thread does it: for jobs that free memory, which must not fail
};

class JobThread : public std::enable_shared_from_this<JobThread> {
public:
    struct Work {
        /** On its own thread. Must not throw. */
        std::function<void()> run;
        /** JavaScript thread, after `run`. */
        std::function<void(Napi::Env)> done;
        /** Any thread, while `run` runs, more than once. Must not throw. */
        std::function<void()> cancel;
        /**
         * On its own thread, instead of `done`, if the environment ended before `run` did: frees
         * what `run` made.
         */
        std::function<void()> discard;
    };

    /**
     * JavaScript thread. Throws Failure and leaves nothing behind: ResourceExhausted if the system
     * allows no thread, Disposed if the process is ending, Internal if Node makes no channel.
     */
    static void start(Napi::Env env, const char * name, Work work, NoThread otherwise);

    JobThread(const JobThread &) = delete;
    JobThread & operator=(const JobThread &) = delete;

private:
    explicit JobThread(Work work) : work_(std::move(work)) {}
    static void call_js(napi_env env, napi_value, void *, void * data);
    void run();
    bool wait(ProcessHook::Deadline deadline);
    void end_with_environment();
    void join();

    Work work_;
    napi_threadsafe_function function_ = nullptr;
    std::unique_ptr<std::shared_ptr<JobThread>> queued_;  // what the queue will hold
    std::optional<EnvironmentHook> environment_hook_;
    std::optional<ProcessHook> process_hook_;
    std::mutex join_mutex_;
    std::thread thread_;

    std::mutex mutex_;
    std::condition_variable ended_;
    bool has_ended_ = false;
    bool is_abandoned_ = false;  // the environment has ended: its channel must not be used
};

}  // namespace r1

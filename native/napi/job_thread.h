// JobThread: one thread for one job, joined before its environment or the process ends; `done` is
// called on the JavaScript thread.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "napi/shutdown.h"

namespace r1 {

class JobThread : public std::enable_shared_from_this<JobThread> {
public:
    /**
     * JavaScript thread. `work` and `cancel` must not throw. `cancel` may be called from any thread
     * while `work` runs. Throws a Napi::Error: DISPOSED where the process is ending, INTERNAL where
     * Node makes no channel.
     */
    static void start(Napi::Env env, const char * name, std::function<void()> work,
                      std::function<void(Napi::Env)> done, std::function<void()> cancel);

    JobThread(const JobThread &) = delete;
    JobThread & operator=(const JobThread &) = delete;

private:
    JobThread(std::function<void()> work, std::function<void(Napi::Env)> done,
              std::function<void()> cancel);
    static void call_js(napi_env env, napi_value, void *, void * data);
    void end_early();
    void join();

    std::function<void()> work_;
    std::function<void(Napi::Env)> done_;
    std::function<void()> cancel_;
    napi_threadsafe_function function_ = nullptr;
    std::optional<EnvironmentHook> environment_hook_;
    std::optional<ProcessHook> process_hook_;
    std::mutex join_mutex_;
    std::thread thread_;
};

}  // namespace r1

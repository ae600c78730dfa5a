// JobThread: one thread for one job, joined before its environment or the process ends; `done` is
// called on the JavaScript thread.
#include "napi/job_thread.h"

#include "napi/error.h"

namespace r1 {

JobThread::JobThread(std::function<void()> work, std::function<void(Napi::Env)> done,
                     std::function<void()> cancel)
    : work_(std::move(work)), done_(std::move(done)), cancel_(std::move(cancel)) {}

void JobThread::start(Napi::Env env, const char * name, std::function<void()> work,
                      std::function<void(Napi::Env)> done, std::function<void()> cancel) {
    if (ProcessHook::is_ending()) {
        throw make_error(env, {error_code_name(ErrorCode::Disposed),
                               "The process is ending: nothing new can be started."});
    }
    std::shared_ptr<JobThread> job(
        new JobThread(std::move(work), std::move(done), std::move(cancel)));
    const napi_status status = napi_create_threadsafe_function(
        env, nullptr, nullptr, Napi::String::New(env, name), 0, 1, nullptr, nullptr, nullptr,
        &JobThread::call_js, &job->function_);
    if (status != napi_ok) {
        throw make_error(env,
                         {error_code_name(ErrorCode::Internal),
                          std::string("Node could not make a channel for the job ") + name + "."});
    }
    // Hooks run newest first, so this one runs before the thread-safe function's own: the thread is
    // joined while its channel is still there.
    job->environment_hook_.emplace(env, [weak = std::weak_ptr<JobThread>(job)] {
        if (const std::shared_ptr<JobThread> running = weak.lock()) {
            running->end_early();
        }
    });
    job->process_hook_.emplace([weak = std::weak_ptr<JobThread>(job)] {
        if (const std::shared_ptr<JobThread> running = weak.lock()) {
            running->end_early();
        }
    });
    // The thread holds the job until its last call is queued; the queue holds it until that call
    // has run.
    job->thread_ = std::thread([job]() mutable {
        job->work_();
        auto * queued = new std::shared_ptr<JobThread>(job);
        napi_threadsafe_function function = job->function_;
        job.reset();
        if (napi_call_threadsafe_function(function, queued, napi_tsfn_nonblocking) != napi_ok) {
            // The environment is going down: end_early() waits for this thread and owns the rest;
            // only the holder is dropped there.
            (*queued)->cancel_();
            delete queued;
        }
    });
}

void JobThread::join() {
    std::lock_guard<std::mutex> lock(join_mutex_);
    if (thread_.joinable()) {
        thread_.join();
    }
}

void JobThread::end_early() {
    cancel_();
    join();
}

void JobThread::call_js(napi_env env, napi_value, void *, void * data) {
    const std::unique_ptr<std::shared_ptr<JobThread>> queued(
        static_cast<std::shared_ptr<JobThread> *>(data));
    const std::shared_ptr<JobThread> job = *queued;
    job->join();
    if (env == nullptr) {
        return;  // the environment is gone: nobody is left to tell
    }
    job->environment_hook_.reset();
    job->process_hook_.reset();
    napi_release_threadsafe_function(job->function_, napi_tsfn_release);
    try {
        const Napi::Env environment(env);
        const Napi::HandleScope scope(environment);
        job->done_(environment);
    } catch (...) {
        // A worker that is being terminated refuses every call: the promise is settled for nobody.
    }
}

}  // namespace r1

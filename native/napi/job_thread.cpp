// JobThread: one thread for one job. The environment and the process wait for it before they end.
// `done` is called on the JavaScript thread.
#include "napi/job_thread.h"

#include <system_error>

#include "core/failure.h"
#include "napi/reaper.h"

namespace r1 {

void JobThread::start(Napi::Env env, const char * name, Work work, NoThread otherwise) {
    if (ProcessHook::is_ending()) {
        throw Failure(ErrorCode::Disposed, "The process is ending: nothing new can be started.");
    }
    std::shared_ptr<JobThread> job(new JobThread(std::move(work)));
    job->queued_ = std::make_unique<std::shared_ptr<JobThread>>();
    const napi_status status = napi_create_threadsafe_function(
        env, nullptr, nullptr, Napi::String::New(env, name), 0, 1, nullptr, nullptr, nullptr,
        &JobThread::call_js, &job->function_);
    if (status != napi_ok) {
        throw Failure(ErrorCode::Internal,
                      std::string("Node could not make a channel for the job ") + name + ".");
    }
    // Hooks run newest first, so this one runs before the thread-safe function's own: the thread
    // ends while its channel still exists.
    job->environment_hook_.emplace(env, [weak = std::weak_ptr<JobThread>(job)] {
        if (const std::shared_ptr<JobThread> running = weak.lock()) {
            running->end_with_environment();
        }
    });
    job->process_hook_.emplace(
        [weak = std::weak_ptr<JobThread>(job)] {
            if (const std::shared_ptr<JobThread> running = weak.lock()) {
                running->work_.cancel();
            }
        },
        [weak = std::weak_ptr<JobThread>(job)](ProcessHook::Deadline deadline) {
            const std::shared_ptr<JobThread> running = weak.lock();
            return running == nullptr || running->wait(deadline);
        });
    // The thread holds the job until its last call is queued; the queue holds it until that call
    // has run.
    *job->queued_ = job;
    try {
        job->thread_ = std::thread([running = job.get()] { running->run(); });
        return;
    } catch (const std::system_error &) {
        if (otherwise == NoThread::Reaper) {
            // A separate share: the JavaScript thread cannot join the reaper's.
            reaper::post([job] { job->run(); });
            return;
        }
    }
    job->environment_hook_.reset();
    job->process_hook_.reset();
    napi_release_threadsafe_function(job->function_, napi_tsfn_abort);
    job->queued_.reset();
    throw no_thread_left();
}

// Holds itself by `queued_`, which the call to JavaScript takes over.
void JobThread::run() {
    work_.run();
    std::unique_ptr<std::shared_ptr<JobThread>> queued;
    bool is_abandoned = false;
    {
        // Under the lock, so that the environment cannot end in between.
        std::lock_guard<std::mutex> lock(mutex_);
        queued = std::move(queued_);
        has_ended_ = true;
        is_abandoned = is_abandoned_;
        if (!is_abandoned_ && napi_call_threadsafe_function(function_, queued.get(),
                                                            napi_tsfn_nonblocking) == napi_ok) {
            queued.release();  // NOLINT: call_js deletes it
        }
        ended_.notify_all();
    }
    if (is_abandoned) {
        work_.discard();
        // The rest refers to an environment that no longer exists, so nothing can free it.
        queued.release();  // NOLINT: kept on purpose
        process_hook_.reset();
    }
    // Otherwise, if it still exists: the environment is ending, and waits for this thread with its
    // own share.
}

bool JobThread::wait(ProcessHook::Deadline deadline) {
    {
        std::unique_lock<std::mutex> lock(mutex_);
        if (!ended_.wait_until(lock, deadline, [this] { return has_ended_; })) {
            return false;
        }
    }
    join();
    return true;
}

void JobThread::join() {
    std::lock_guard<std::mutex> lock(join_mutex_);
    if (thread_.joinable()) {
        thread_.join();
    }
}

void JobThread::end_with_environment() {
    work_.cancel();
    if (wait(std::chrono::steady_clock::now() + longest_end)) {
        return;
    }
    std::lock_guard<std::mutex> lock(mutex_);
    if (!has_ended_) {
        is_abandoned_ = true;
        if (thread_.joinable()) {
            thread_.detach();
        }
    }
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
        job->work_.done(environment);
    } catch (...) {
        // A worker that is being terminated refuses every call: no code waits for the promise.
    }
    job->work_ = {};  // here, whichever thread drops the last share
}

}  // namespace r1

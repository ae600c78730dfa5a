// run_async: runs native work on its own thread and settles a promise. `work` runs on that thread
// and sees only C++ values; `to_js` runs on the JavaScript thread.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>

#include "napi/error.h"
#include "napi/job_thread.h"

namespace r1 {

/** What asynchronous work does beside its own. */
struct AsyncOptions {
    /** Any thread; asks `work` to end. */
    std::function<void()> cancel = [] {};
    /** JavaScript thread, before the promise is settled, on every outcome. */
    std::function<void()> settled = [] {};
    NoThread otherwise = NoThread::Refuse;
};

/**
 * Order: `work` (own thread), then `to_js` (JavaScript thread), then both are destroyed (JavaScript
 * thread). A Failure in `work`, or of the start of its thread, rejects with its code. If the
 * environment or the process ends first, `cancel` is called and `work` is waited for, but not for
 * ever (shutdown.h); nothing is settled then.
 */
template <typename Result>
Napi::Promise run_async(Napi::Env env, const char * name, std::function<Result()> work,
                        std::function<Napi::Value(Napi::Env, Result &)> to_js,
                        AsyncOptions options = {}) {
    struct State {
        std::function<Result()> work;
        std::function<Napi::Value(Napi::Env, Result &)> to_js;
        Napi::Promise::Deferred deferred;
        std::optional<Result> result;
        std::optional<ErrorFacts> error;
    };
    auto state = std::make_shared<State>(State{std::move(work), std::move(to_js),
                                               Napi::Promise::Deferred::New(env), std::nullopt,
                                               std::nullopt});
    const Napi::Promise promise = state->deferred.Promise();
    JobThread::Work job;
    job.run = [state] {
        try {
            state->result.emplace(state->work());
        } catch (...) {
            state->error = facts_of_current_exception();
        }
    };
    job.cancel = std::move(options.cancel);
    job.discard = [state] { state->result.reset(); };
    job.done = [state, settled = options.settled](Napi::Env at) {
        settled();
        if (state->error) {
            state->deferred.Reject(make_error(at, *state->error).Value());
            return;
        }
        try {
            state->deferred.Resolve(state->to_js(at, *state->result));
        } catch (const Napi::Error & error) {
            state->deferred.Reject(error.Value());
        } catch (...) {
            state->deferred.Reject(make_error(at, facts_of_current_exception()).Value());
        }
    };
    try {
        JobThread::start(env, name, std::move(job), options.otherwise);
    } catch (const Failure &) {
        const ErrorFacts facts = facts_of_current_exception();
        options.settled();
        state->deferred.Reject(make_error(env, facts).Value());
    }
    return promise;
}

/** The result of work that has none. */
struct Nothing {};

}  // namespace r1

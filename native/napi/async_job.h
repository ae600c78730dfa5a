// run_async: native work on a thread of its own, settling a promise. `work` runs on that thread and
// sees only C++ values; `to_js` runs on the JavaScript thread.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>

#include "napi/error.h"
#include "napi/job_thread.h"

namespace r1 {

/**
 * Order: `work` (own thread), then `to_js` (JavaScript thread), then both are destroyed (JavaScript
 * thread). A Failure in `work` rejects with its code. `settled` runs before the promise is settled,
 * whatever the outcome (JavaScript thread). If the environment or the process ends first, `cancel`
 * is called and `work` is waited for; nothing is settled then.
 */
template <typename Result>
Napi::Promise run_async(
    Napi::Env env, const char * name, std::function<Result()> work,
    std::function<Napi::Value(Napi::Env, Result &)> to_js, std::function<void()> cancel = [] {},
    std::function<void()> settled = [] {}) {
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
    JobThread::start(
        env, name,
        [state] {
            try {
                state->result.emplace(state->work());
            } catch (...) {
                state->error = facts_of_current_exception();
            }
        },
        [state, settled = std::move(settled)](Napi::Env at) {
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
        },
        std::move(cancel));
    return promise;
}

/** The result of work that has none. */
struct Nothing {};

}  // namespace r1

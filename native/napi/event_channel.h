// EventChannel: carries items from native threads to one JavaScript callback, in bulk, with one
// wake-up when it goes from empty to non-empty. It has two locks, so that a JavaScript thread that
// wakes during a push does not wait for the items: `mutex` guards them, `signal` the thread-safe
// function.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "napi/shutdown.h"

namespace r1 {

/** The callback's arguments for the items since its last call. JavaScript thread, inside a handle
 * scope. */
template <typename Item>
using ToArguments = std::function<std::vector<napi_value>(Napi::Env, const std::vector<Item> &)>;

/** One argument: an array of all items. */
template <typename Item>
ToArguments<Item> all_of(std::function<Napi::Value(Napi::Env, const Item &)> convert) {
    return [convert = std::move(convert)](
               Napi::Env env, const std::vector<Item> & items) -> std::vector<napi_value> {
        const Napi::Array array = Napi::Array::New(env, items.size());
        for (std::size_t i = 0; i < items.size(); ++i) {
            const Napi::HandleScope scope(env);
            array.Set(static_cast<uint32_t>(i), convert(env, items[i]));
        }
        return {array};
    };
}

/** One argument: the last item alone, for values that replace each other. */
template <typename Item>
ToArguments<Item> latest_of(std::function<Napi::Value(Napi::Env, const Item &)> convert) {
    return [convert = std::move(convert)](
               Napi::Env env, const std::vector<Item> & items) -> std::vector<napi_value> {
        return {convert(env, items.back())};
    };
}

/**
 * push(): any thread, never blocks on JavaScript. The callback gets all items since its last call.
 * close(): JavaScript thread; no callback runs after it. The channel keeps the process alive only
 * while it is held (hold/unhold, JavaScript thread).
 */
template <typename Item>
class EventChannel {
public:
    EventChannel(Napi::Env env, const char * name, const Napi::Function & callback,
                 ToArguments<Item> to_arguments)
        : state_(std::make_shared<State>()), env_(env) {
        state_->to_arguments = std::move(to_arguments);
        callback_ = Napi::Persistent(callback);
        const napi_status status = napi_create_threadsafe_function(
            env, callback, nullptr, Napi::String::New(env, name), 0, 1, nullptr, nullptr, nullptr,
            &EventChannel::call_js, &state_->function);
        if (status != napi_ok) {
            throw Napi::Error::New(env, "Node could not make an event channel.");
        }
        napi_unref_threadsafe_function(env, state_->function);
        // Runs before the thread-safe function's own hook: after that, no code may use the
        // function.
        hook_.emplace(env, [state = state_] { take_function(*state); });
    }
    /** On the JavaScript thread, unless close() was called before. */
    ~EventChannel() { close(); }
    EventChannel(const EventChannel &) = delete;
    EventChannel & operator=(const EventChannel &) = delete;

    void push(std::vector<Item> && items) {
        if (items.empty()) {
            return;
        }
        {
            std::lock_guard<std::mutex> lock(state_->mutex);
            if (!state_->is_open) {
                return;
            }
            if (!state_->items.empty()) {
                state_->items.insert(state_->items.end(), std::make_move_iterator(items.begin()),
                                     std::make_move_iterator(items.end()));
                return;  // the wake-up for those before is under way
            }
            state_->items = std::move(items);
        }
        std::lock_guard<std::mutex> lock(state_->signal);
        if (state_->function != nullptr) {
            napi_call_threadsafe_function(state_->function, new std::shared_ptr<State>(state_),
                                          napi_tsfn_nonblocking);
        }
    }

    /** JavaScript thread: delivers pending items at once. */
    void drain(Napi::Env env) {
        if (!callback_.IsEmpty()) {
            deliver(env, callback_.Value(), *state_);
        }
    }

    void close() {
        callback_.Reset();
        napi_threadsafe_function function = take_function(*state_);
        if (function != nullptr) {
            napi_release_threadsafe_function(function, napi_tsfn_release);
        }
        hook_.reset();
    }

    void hold() {
        if (held_++ == 0 && state_->function != nullptr) {
            napi_ref_threadsafe_function(env_, state_->function);
        }
    }

    void unhold() {
        if (held_ > 0 && --held_ == 0 && state_->function != nullptr) {
            napi_unref_threadsafe_function(env_, state_->function);
        }
    }

    /** Called on the JavaScript thread with each batch, before the callback. */
    void on_batch(std::function<void(const std::vector<Item> &)> observer) {
        state_->observer = std::move(observer);
    }

private:
    struct State {
        std::mutex mutex;
        std::vector<Item> items;
        bool is_open = true;
        std::mutex signal;
        napi_threadsafe_function function = nullptr;
        ToArguments<Item> to_arguments;
        std::function<void(const std::vector<Item> &)> observer;
    };

    /** Items pushed from here on are dropped. Returns the previous function. */
    static napi_threadsafe_function take_function(State & state) {
        {
            std::lock_guard<std::mutex> lock(state.mutex);
            state.is_open = false;
            state.items.clear();
        }
        std::lock_guard<std::mutex> lock(state.signal);
        return std::exchange(state.function, nullptr);
    }

    static void call_js(napi_env raw_env, napi_value callback, void *, void * data) {
        const std::unique_ptr<std::shared_ptr<State>> queued(
            static_cast<std::shared_ptr<State> *>(data));
        if (raw_env == nullptr || callback == nullptr) {
            return;
        }
        try {
            deliver(Napi::Env(raw_env), callback, **queued);
        } catch (...) {
            // A worker that is being terminated refuses every call: no receiver is left.
        }
    }

    static void deliver(Napi::Env env, napi_value callback, State & state) {
        std::vector<Item> items;
        {
            std::lock_guard<std::mutex> lock(state.mutex);
            items.swap(state.items);
        }
        if (items.empty()) {
            return;
        }
        const Napi::HandleScope scope(env);
        if (state.observer) {
            state.observer(items);
        }
        const std::vector<napi_value> arguments = state.to_arguments(env, items);
        // A pending exception of the callback is left to Node, which reports it as uncaught.
        napi_call_function(env, env.Undefined(), callback, arguments.size(), arguments.data(),
                           nullptr);
    }

    std::shared_ptr<State> state_;
    Napi::Env env_;
    Napi::FunctionReference callback_;
    std::optional<EnvironmentHook> hook_;
    int held_ = 0;
};

}  // namespace r1

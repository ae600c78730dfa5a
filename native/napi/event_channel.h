// EventChannel: carries items from native threads to one JavaScript callback, in bulk, with one wake-up when it goes from empty to non-empty.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "napi/shutdown.h"

namespace r1 {

/**
 * push(): any thread, never blocks on JavaScript. The callback gets an array of all items since its last call. close(): JavaScript thread; no callback comes
 * after it. The channel keeps the process alive only while it is held (hold/unhold, JavaScript thread).
 */
template <typename Item>
class EventChannel {
public:
    /** All: the callback gets an array of the items since its last call. Latest: it gets the last of them alone, for values that replace each other. */
    enum class Tell { All, Latest };
    using Convert = std::function<Napi::Value(Napi::Env, const Item &)>;

    EventChannel(Napi::Env env, const char * name, const Napi::Function & callback, Convert convert, Tell what = Tell::All)
        : state_(std::make_shared<State>()), env_(env) {
        state_->convert = std::move(convert);
        state_->what = what;
        callback_ = Napi::Persistent(callback);
        const napi_status status = napi_create_threadsafe_function(env, callback, nullptr, Napi::String::New(env, name), 0, 1, nullptr, nullptr, nullptr,
                                                                   &EventChannel::call_js, &state_->function);
        if (status != napi_ok) {
            throw Napi::Error::New(env, "Node could not make an event channel.");
        }
        napi_unref_threadsafe_function(env, state_->function);
        // Runs before the thread-safe function's own hook: after it nobody may touch that function.
        hook_.emplace(env, [state = state_] {
            std::lock_guard<std::mutex> lock(state->mutex);
            state->function = nullptr;
        });
    }
    /** On the JavaScript thread, unless close() was called before. */
    ~EventChannel() { close(); }
    EventChannel(const EventChannel &) = delete;
    EventChannel & operator=(const EventChannel &) = delete;

    void push(std::vector<Item> && items) {
        if (items.empty()) {
            return;
        }
        std::lock_guard<std::mutex> lock(state_->mutex);
        if (state_->function == nullptr) {
            return;
        }
        const bool was_empty = state_->items.empty();
        if (was_empty) {
            state_->items = std::move(items);
            napi_call_threadsafe_function(state_->function, new std::shared_ptr<State>(state_), napi_tsfn_nonblocking);
        } else {
            state_->items.insert(state_->items.end(), std::make_move_iterator(items.begin()), std::make_move_iterator(items.end()));
        }
    }

    /** JavaScript thread: tells at once what is still to be told. */
    void drain(Napi::Env env) {
        if (!callback_.IsEmpty()) {
            tell(env, callback_.Value(), *state_);
        }
    }

    void close() {
        callback_.Reset();
        napi_threadsafe_function function = nullptr;
        {
            std::lock_guard<std::mutex> lock(state_->mutex);
            std::swap(function, state_->function);
        }
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
    void on_batch(std::function<void(const std::vector<Item> &)> observer) { state_->observer = std::move(observer); }

private:
    struct State {
        std::mutex mutex;
        std::vector<Item> items;
        napi_threadsafe_function function = nullptr;
        Convert convert;
        Tell what = Tell::All;
        std::function<void(const std::vector<Item> &)> observer;
    };

    static void call_js(napi_env raw_env, napi_value callback, void *, void * data) {
        const std::unique_ptr<std::shared_ptr<State>> queued(static_cast<std::shared_ptr<State> *>(data));
        if (raw_env == nullptr || callback == nullptr) {
            return;
        }
        try {
            tell(Napi::Env(raw_env), callback, **queued);
        } catch (...) {
            // A worker that is being terminated refuses every call: nobody is left to tell.
        }
    }

    static void tell(Napi::Env env, napi_value callback, State & state) {
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
        const napi_value arguments[] = {state.what == Tell::Latest ? state.convert(env, items.back()) : all_to_js(env, state, items)};
        // A pending exception of the callback is left to Node, which reports it as uncaught.
        napi_call_function(env, env.Undefined(), callback, 1, arguments, nullptr);
    }

    static Napi::Value all_to_js(Napi::Env env, const State & state, const std::vector<Item> & items) {
        const Napi::Array array = Napi::Array::New(env, items.size());
        for (std::size_t i = 0; i < items.size(); ++i) {
            const Napi::HandleScope item_scope(env);
            array.Set(static_cast<uint32_t>(i), state.convert(env, items[i]));
        }
        return array;
    }

    std::shared_ptr<State> state_;
    Napi::Env env_;
    Napi::FunctionReference callback_;
    std::optional<EnvironmentHook> hook_;
    int held_ = 0;
};

}  // namespace r1

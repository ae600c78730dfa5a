// EngineWrap: the contract's NativeEngine. Submits and cancels on the JavaScript thread; the engine
// is created and ended on separate threads.
#include "wrap/engine_wrap.h"

#include "napi/async_job.h"
#include "napi/fields.h"
#include "napi/reaper.h"
#include "wrap/cancel_token_wrap.h"
#include "wrap/environment.h"
#include "wrap/events_to_js.h"
#include "wrap/model_wrap.h"
#include "wrap/request_config.h"

namespace r1 {

Napi::Function EngineWrap::define(Napi::Env env) {
    return DefineClass(env, "NativeEngine",
                       {
                           InstanceMethod<&EngineWrap::info>("info"),
                           InstanceMethod<&EngineWrap::submit>("submit"),
                           InstanceMethod<&EngineWrap::cancel>("cancel"),
                           InstanceMethod<&EngineWrap::end_reasoning>("endReasoning"),
                           InstanceMethod<&EngineWrap::stats>("stats"),
                           InstanceMethod<&EngineWrap::hold_cells>("holdCells"),
                           InstanceMethod<&EngineWrap::release_cells>("releaseCells"),
                           InstanceMethod<&EngineWrap::save_session>("saveSession"),
                           InstanceMethod<&EngineWrap::keep_bytes>("keepBytes"),
                           InstanceMethod<&EngineWrap::put_bytes>("putBytes"),
                           InstanceMethod<&EngineWrap::drop_bytes>("dropBytes"),
                           InstanceMethod<&EngineWrap::open_session>("openSession"),
                           InstanceMethod<&EngineWrap::restore_session>("restoreSession"),
                           InstanceMethod<&EngineWrap::close_session>("closeSession"),
                           InstanceMethod<&EngineWrap::forget_session>("forgetSession"),
                           InstanceMethod<&EngineWrap::close>("close"),
                       });
}

EngineWrap::EngineWrap(const Napi::CallbackInfo & info) : Napi::ObjectWrap<EngineWrap>(info) {
    if (!info[0].IsExternal()) {
        throw Napi::TypeError::New(info.Env(), "A NativeEngine is made by createEngine().");
    }
    const Parts & parts = *info[0].As<Napi::External<Parts>>().Data();
    engine_ = parts.engine;
    channel_ = parts.channel;
    memory_.emplace(info.Env(), engine_->info().cache_bytes + engine_->info().compute_bytes);
    environment_hook_.emplace(info.Env(), [engine = engine_] {
        engine->request_stop();
        engine->stop_until(std::chrono::steady_clock::now() + longest_end);
    });
    process_hook_.emplace([engine = engine_] { engine->request_stop(); },
                          [engine = engine_](ProcessHook::Deadline deadline) {
                              return engine->stop_until(deadline);
                          });
}

// Collected without close(): only requests the end; another thread joins the engine thread.
EngineWrap::~EngineWrap() {
    if (engine_ == nullptr) {
        return;
    }
    channel_->close();
    environment_hook_.reset();
    engine_->request_stop();
    process_hook_.reset();
    reaper::post([engine = std::move(engine_)] { engine->stop(); });
}

Napi::Value EngineWrap::create(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsObject() ||
        !info[0].As<Napi::Object>().InstanceOf(Environment::of(env).model_class.Value())) {
        throw Napi::TypeError::New(env, "Expected a NativeModel for `model`.");
    }
    const std::shared_ptr<Model> model =
        guarded(env, [&] { return ModelWrap::Unwrap(info[0].As<Napi::Object>())->model(); });
    const EngineConfig config = engine_config_of(info[1]);
    std::shared_ptr<Model> draft;
    if (!info[3].IsNull() && !info[3].IsUndefined()) {
        if (!info[3].IsObject() ||
            !info[3].As<Napi::Object>().InstanceOf(Environment::of(env).model_class.Value())) {
            throw Napi::TypeError::New(env, "Expected a NativeModel or null for `draftModel`.");
        }
        draft =
            guarded(env, [&] { return ModelWrap::Unwrap(info[3].As<Napi::Object>())->model(); });
    }
    if (!info[2].IsFunction()) {
        throw Napi::TypeError::New(env, "Expected a function for `onEvents`.");
    }
    if (!info[4].IsObject() ||
        !info[4].As<Napi::Object>().InstanceOf(Environment::of(env).cancel_token_class.Value())) {
        throw Napi::TypeError::New(env, "Expected a cancel token for `token`.");
    }
    const std::shared_ptr<std::atomic<bool>> cancelled =
        CancelTokenWrap::Unwrap(info[4].As<Napi::Object>())->flag();
    const auto channel = std::make_shared<Channel>(env, "r1.engine.events",
                                                   info[2].As<Napi::Function>(), events_to_js);
    // Each request keeps the process alive until its last event is delivered.
    channel->on_batch([weak = std::weak_ptr<Channel>(channel)](const std::vector<Event> & events) {
        const std::shared_ptr<Channel> held = weak.lock();
        for (const Event & event : events) {
            if (held != nullptr && is_last(event)) {
                held->unhold();
            }
        }
    });
    return run_async<std::shared_ptr<Engine>>(
        env, "r1.engine.create",
        [model, draft, config, channel, cancelled] {
            const Engine::Sink sink = [channel](std::vector<Event> && events) {
                channel->push(std::move(events));
            };
            return std::make_shared<Engine>(model, draft, config, sink, cancelled.get());
        },
        [channel](Napi::Env at, std::shared_ptr<Engine> & engine) -> Napi::Value {
            ProcessHook::run_before_existing_hooks();
            Parts parts{engine, channel};
            const Napi::Value wrap =
                Environment::of(at).engine_class.New({Napi::External<Parts>::New(at, &parts)});
            engine.reset();  // the wrap has it now; the job's copy must not be the last one
            return wrap;
        },
        {[cancelled] { cancelled->store(true); }});
}

Engine & EngineWrap::engine() const {
    if (engine_ == nullptr) {
        throw Failure(ErrorCode::Disposed, "The model was closed. Load it again with loadModel().");
    }
    return *engine_;
}

Napi::Value EngineWrap::info(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        const EngineInfo & facts = engine().info();
        const Napi::Object object = Napi::Object::New(env);
        object.Set("contextSize", facts.context_size);
        object.Set("sequenceContextSize", facts.sequence_context);
        object.Set("batchSize", facts.batch_size);
        object.Set("ubatchSize", facts.ubatch_size);
        object.Set("sequences", facts.sequences);
        object.Set("cacheTypeK", facts.cache_type_k);
        object.Set("cacheTypeV", facts.cache_type_v);
        object.Set("cacheBytes", static_cast<double>(facts.cache_bytes));
        object.Set("computeBytes", static_cast<double>(facts.compute_bytes));
        const Napi::Array memory = Napi::Array::New(env);
        for (const DeviceMemory & place : facts.memory) {
            const Napi::Object entry = Napi::Object::New(env);
            entry.Set("device", place.device);
            entry.Set("weightBytes", static_cast<double>(place.weight_bytes));
            entry.Set("cacheBytes", static_cast<double>(place.cache_bytes));
            entry.Set("computeBytes", static_cast<double>(place.compute_bytes));
            memory.Set(memory.Length(), entry);
        }
        object.Set("memory", memory);
        object.Set("priority", facts.priority);
        return object;
    });
}

Napi::Value EngineWrap::submit(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        Engine & target = engine();
        target.submit(request_of(info[0]));
        channel_->hold();
        return env.Undefined();
    });
}

Napi::Value EngineWrap::cancel(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsNumber()) {
        throw Napi::TypeError::New(env, "Expected a number for `id`.");
    }
    if (engine_ != nullptr) {
        engine_->cancel(info[0].As<Napi::Number>().Uint32Value());
    }
    return env.Undefined();
}

Napi::Value EngineWrap::end_reasoning(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsNumber()) {
        throw Napi::TypeError::New(env, "Expected a number for `id`.");
    }
    if (engine_ != nullptr) {
        engine_->end_reasoning(info[0].As<Napi::Number>().Uint32Value());
    }
    return env.Undefined();
}

Napi::Value EngineWrap::stats(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        const EngineStats facts = engine().stats();
        const Napi::Object object = Napi::Object::New(env);
        object.Set("running", facts.running);
        object.Set("waiting", facts.waiting);
        object.Set("cellsUsed", facts.cells_used);
        object.Set("cellsTotal", facts.cells_total);
        object.Set("promptTokens", static_cast<double>(facts.prompt_tokens));
        object.Set("cachedTokens", static_cast<double>(facts.cached_tokens));
        object.Set("completionTokens", static_cast<double>(facts.completion_tokens));
        object.Set("requests", static_cast<double>(facts.requests));
        object.Set("steps", static_cast<double>(facts.steps));
        object.Set("draftedTokens", static_cast<double>(facts.drafted_tokens));
        object.Set("acceptedTokens", static_cast<double>(facts.accepted_tokens));
        object.Set("tokensPerSecond", facts.tokens_per_second);
        return object;
    });
}

const std::shared_ptr<Engine> & EngineWrap::shared_engine() const {
    engine();
    return engine_;
}

Napi::Value EngineWrap::hold_cells(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return sessions_.hold(info, shared_engine()); });
}

Napi::Value EngineWrap::release_cells(const Napi::CallbackInfo & info) {
    if (engine_ != nullptr) {
        sessions_.release(info, engine_);
    }
    return info.Env().Undefined();
}

Napi::Value EngineWrap::save_session(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return sessions_.save(info, shared_engine()); });
}

Napi::Value EngineWrap::keep_bytes(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return sessions_.keep(info); });
}

Napi::Value EngineWrap::put_bytes(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] {
        sessions_.put(info);
        return info.Env().Undefined();
    });
}

Napi::Value EngineWrap::drop_bytes(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] {
        sessions_.drop(info);
        return info.Env().Undefined();
    });
}

Napi::Value EngineWrap::open_session(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return sessions_.open(info, shared_engine()); });
}

Napi::Value EngineWrap::restore_session(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return sessions_.restore(info, shared_engine()); });
}

Napi::Value EngineWrap::close_session(const Napi::CallbackInfo & info) {
    sessions_.close(info);
    return info.Env().Undefined();
}

Napi::Value EngineWrap::forget_session(const Napi::CallbackInfo & info) {
    if (!info[0].IsNumber()) {
        throw Napi::TypeError::New(info.Env(), "Expected a number for `session`.");
    }
    if (engine_ != nullptr) {
        engine_->forget_session(static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value()));
    }
    return info.Env().Undefined();
}

Napi::Value EngineWrap::close(const Napi::CallbackInfo & info) {
    std::shared_ptr<Engine> engine = std::move(engine_);
    engine_.reset();
    if (engine != nullptr) {
        engine->request_stop();
    }
    Ref();  // this object must outlive the job
    return run_async<Nothing>(
        info.Env(), "r1.engine.close",
        [engine = std::move(engine)]() {
            if (engine != nullptr) {
                engine->stop();
            }
            return Nothing{};
        },
        [this](Napi::Env env, Nothing &) {
            // The thread's last events are delivered before the promise settles.
            channel_->drain(env);
            channel_->close();
            environment_hook_.reset();
            process_hook_.reset();
            memory_.reset();
            Unref();
            return env.Undefined();
        },
        {[] {}, [] {}, NoThread::Reaper});
}

}  // namespace r1

// EngineWrap: the contract's NativeEngine. Submits and cancels on the JavaScript thread; the engine
// is created and ended on separate threads.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>

#include "core/engine/engine.h"
#include "napi/event_channel.h"
#include "napi/external_memory.h"
#include "napi/shutdown.h"
#include "wrap/session_calls.h"

namespace r1 {

class EngineWrap : public Napi::ObjectWrap<EngineWrap> {
public:
    static Napi::Function define(Napi::Env env);

    /** createEngine(model, config, onEvents, draftModel, token) of the contract. */
    static Napi::Value create(const Napi::CallbackInfo & info);

    explicit EngineWrap(const Napi::CallbackInfo & info);
    ~EngineWrap() override;

private:
    using Channel = EventChannel<Event>;
    struct Parts {
        std::shared_ptr<Engine> engine;
        std::shared_ptr<Channel> channel;
    };

    Engine & engine() const;
    const std::shared_ptr<Engine> & shared_engine() const;
    Napi::Value info(const Napi::CallbackInfo & info);
    Napi::Value submit(const Napi::CallbackInfo & info);
    Napi::Value cancel(const Napi::CallbackInfo & info);
    Napi::Value end_reasoning(const Napi::CallbackInfo & info);
    Napi::Value stats(const Napi::CallbackInfo & info);
    Napi::Value hold_cells(const Napi::CallbackInfo & info);
    Napi::Value release_cells(const Napi::CallbackInfo & info);
    Napi::Value save_session(const Napi::CallbackInfo & info);
    Napi::Value keep_bytes(const Napi::CallbackInfo & info);
    Napi::Value put_bytes(const Napi::CallbackInfo & info);
    Napi::Value drop_bytes(const Napi::CallbackInfo & info);
    Napi::Value open_session(const Napi::CallbackInfo & info);
    Napi::Value restore_session(const Napi::CallbackInfo & info);
    Napi::Value close_session(const Napi::CallbackInfo & info);
    Napi::Value forget_session(const Napi::CallbackInfo & info);
    Napi::Value close(const Napi::CallbackInfo & info);

    // Stops the engine whether the environment or the process ends first. The hooks own it, so the
    // order of destruction does not matter.
    std::shared_ptr<Engine> engine_;
    std::shared_ptr<Channel> channel_;
    std::optional<ExternalMemory> memory_;
    SessionCalls sessions_;
    std::optional<EnvironmentHook> environment_hook_;
    std::optional<ProcessHook> process_hook_;
};

}  // namespace r1

// SessionCalls: the part of the contract's NativeEngine that saves sessions and restores them.
// JavaScript thread; the work itself runs on separate threads.
#pragma once

#include <napi.h>

#include <map>
#include <memory>

#include "core/engine/engine.h"

namespace r1 {

class SessionCalls {
public:
    Napi::Value hold(const Napi::CallbackInfo & info, const std::shared_ptr<Engine> & engine);
    void release(const Napi::CallbackInfo & info, const std::shared_ptr<Engine> & engine);
    Napi::Value save(const Napi::CallbackInfo & info, const std::shared_ptr<Engine> & engine);
    Napi::Value keep(const Napi::CallbackInfo & info);
    void put(const Napi::CallbackInfo & info);
    void drop(const Napi::CallbackInfo & info);
    Napi::Value open(const Napi::CallbackInfo & info, const std::shared_ptr<Engine> & engine);
    Napi::Value restore(const Napi::CallbackInfo & info, const std::shared_ptr<Engine> & engine);
    void close(const Napi::CallbackInfo & info);

private:
    struct Tables {
        std::map<uint32_t, std::shared_ptr<CellHold>> holds;
        std::map<uint32_t, std::shared_ptr<SavedSession>> opened;
        std::map<uint32_t, std::shared_ptr<LargeBytes>> blocks;
        uint32_t next = 1;
    };

    // Shared with jobs, whose results join it on the JavaScript thread.
    std::shared_ptr<Tables> tables_ = std::make_shared<Tables>();
};

}  // namespace r1

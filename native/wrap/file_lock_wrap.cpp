// Provides locks on files. JavaScript thread; never waits.
#include "wrap/file_lock_wrap.h"

#include "napi/error.h"
#include "napi/fields.h"
#include "wrap/environment.h"

namespace r1 {

Napi::Function FileLockWrap::define(Napi::Env env) {
    return DefineClass(env, "NativeFileLock", {InstanceMethod<&FileLockWrap::release>("release")});
}

Napi::Value FileLockWrap::lock(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        auto [state, lock] = FileLock::take(text_of(info[0], "path"));
        if (state == FileLock::State::Busy) {
            return Napi::String::New(env, "busy");
        }
        if (state == FileLock::State::Unsupported) {
            return Napi::String::New(env, "unsupported");
        }
        const Napi::Object made = Environment::of(env).file_lock_class.New({});
        Unwrap(made)->lock_ = std::move(lock);
        return made;
    });
}

Napi::Value FileLockWrap::release(const Napi::CallbackInfo & info) {
    lock_.release();
    return info.Env().Undefined();
}

}  // namespace r1

// FileLockWrap: the contract's NativeFileLock. JavaScript thread; never waits.
#pragma once

#include <napi.h>

#include "core/platform/file_lock.h"

namespace r1 {

class FileLockWrap : public Napi::ObjectWrap<FileLockWrap> {
public:
    static Napi::Function define(Napi::Env env);

    /** The contract's lockFile. */
    static Napi::Value lock(const Napi::CallbackInfo & info);

    explicit FileLockWrap(const Napi::CallbackInfo & info) : Napi::ObjectWrap<FileLockWrap>(info) {}

private:
    Napi::Value release(const Napi::CallbackInfo & info);

    FileLock lock_;
};

}  // namespace r1

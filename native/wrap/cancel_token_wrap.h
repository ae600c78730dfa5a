// CancelTokenWrap: a flag that JavaScript sets and a native job reads.
#pragma once

#include <napi.h>

#include <atomic>
#include <memory>

namespace r1 {

class CancelTokenWrap : public Napi::ObjectWrap<CancelTokenWrap> {
public:
    static Napi::Function define(Napi::Env env) {
        return DefineClass(env, "NativeCancelToken",
                           {InstanceMethod<&CancelTokenWrap::cancel>("cancel")});
    }

    explicit CancelTokenWrap(const Napi::CallbackInfo & info)
        : Napi::ObjectWrap<CancelTokenWrap>(info) {}

    const std::shared_ptr<std::atomic<bool>> & flag() const { return flag_; }

private:
    Napi::Value cancel(const Napi::CallbackInfo & info) {
        flag_->store(true);
        return info.Env().Undefined();
    }

    std::shared_ptr<std::atomic<bool>> flag_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace r1

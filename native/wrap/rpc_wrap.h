// The contract's connectRpc and serveRpc. JavaScript thread; both work on separate threads.
#pragma once

#include <napi.h>

namespace r1::rpc_wrap {

Napi::Value connect(const Napi::CallbackInfo & info);
Napi::Value serve(const Napi::CallbackInfo & info);

}  // namespace r1::rpc_wrap

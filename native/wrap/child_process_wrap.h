// The contract's startChild and reapChild. JavaScript thread; neither waits for the child.
#pragma once

#include <napi.h>

namespace r1::child_process_wrap {

Napi::Value start(const Napi::CallbackInfo & info);
Napi::Value reap(const Napi::CallbackInfo & info);

}  // namespace r1::child_process_wrap

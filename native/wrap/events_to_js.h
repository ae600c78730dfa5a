// Native events as the contract's plain objects. JavaScript thread.
#pragma once

#include <napi.h>

#include "core/request.h"

namespace r1 {

/** A NativeEvent of the contract. */
Napi::Value event_to_js(Napi::Env env, const Event & event);

}  // namespace r1

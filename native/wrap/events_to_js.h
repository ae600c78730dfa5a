// Converts native events to the contract's columns. JavaScript thread.
#pragma once

#include <napi.h>

#include <vector>

#include "core/engine/request.h"

namespace r1 {

/** The arguments of the contract's NativeEventSink. */
std::vector<napi_value> events_to_js(Napi::Env env, const std::vector<Event> & events);

}  // namespace r1

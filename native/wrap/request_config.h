// Reads the contract's NativeEngineConfig and NativeRequest. JavaScript thread.
#pragma once

#include <napi.h>

#include <memory>

#include "core/backend/context.h"
#include "core/engine/request.h"

namespace r1 {

/** Throws a TypeError on a missing or wrong field. */
EngineConfig engine_config_of(const Napi::Value & value);

/** Throws a TypeError on a missing or wrong field. */
std::shared_ptr<Request> request_of(const Napi::Value & value);

}  // namespace r1

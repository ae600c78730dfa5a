// computeImatrix of the contract: its configuration, its thread, its results. JavaScript thread,
// except for the work itself.
#pragma once

#include <napi.h>

namespace r1::jobs {

Napi::Value compute_importance(const Napi::CallbackInfo & info);

}  // namespace r1::jobs

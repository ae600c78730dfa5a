// The addon's checks of a vocabulary's strings. JavaScript thread; the checks run on separate
// threads.
#pragma once

#include <napi.h>

namespace r1::jobs {

Napi::Value find_equal_strings(const Napi::CallbackInfo & info);
Napi::Value find_no_pair(const Napi::CallbackInfo & info);

}  // namespace r1::jobs

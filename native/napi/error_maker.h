// ErrorMaker: the JavaScript function of this environment that makes an error from a code and a
// message, so that native code throws R1Errors directly. JavaScript thread.
#pragma once

#include <napi.h>

#include <string>

namespace r1::error_maker {

/** setErrorMaker(make) of the contract. */
Napi::Value set(const Napi::CallbackInfo & info);

/** The error, or undefined if no maker was set or it threw. */
Napi::Value make(Napi::Env env, const std::string & code, const std::string & message);

}  // namespace r1::error_maker

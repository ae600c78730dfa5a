// ErrorMaker: how this environment's JavaScript makes an error of a code and a message, so that
// what native code throws is an R1Error from the start. JavaScript thread.
#pragma once

#include <napi.h>

#include <string>

namespace r1::error_maker {

/** setErrorMaker(make) of the contract. */
Napi::Value set(const Napi::CallbackInfo & info);

/** The error, or undefined where none was set or it threw. */
Napi::Value make(Napi::Env env, const std::string & code, const std::string & message);

}  // namespace r1::error_maker

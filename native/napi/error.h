// Native failures as JavaScript errors with a stable `code`. JavaScript thread of an environment.
#pragma once

#include <napi.h>

#include <exception>
#include <string>

#include "core/failure.h"

namespace r1 {

/** What a failed job carries from its thread to JavaScript. */
struct ErrorFacts {
    std::string code;
    std::string message;
};

/** Facts of the exception being handled. Call inside a catch block; any thread. */
inline ErrorFacts facts_of_current_exception() {
    try {
        throw;
    } catch (const Failure & failure) {
        return {error_code_name(failure.code()), failure.what()};
    } catch (const std::bad_alloc &) {
        return {error_code_name(ErrorCode::OutOfMemory), "The system has no memory left for this."};
    } catch (const std::exception & error) {
        return {error_code_name(ErrorCode::Internal), error.what()};
    } catch (...) {
        return {error_code_name(ErrorCode::Internal),
                "An unknown exception came out of native code."};
    }
}

/** An Error with `message` and `code`. */
inline Napi::Error make_error(Napi::Env env, const ErrorFacts & facts) {
    Napi::Error error = Napi::Error::New(env, facts.message);
    error.Set("code", Napi::String::New(env, facts.code));
    return error;
}

/** Runs a synchronous native function for JavaScript: a Failure becomes a thrown Error with its
 * code, a Napi::Error passes as it is. */
template <typename Function>
auto guarded(Napi::Env env, Function && function) -> decltype(function()) {
    try {
        return function();
    } catch (const Napi::Error &) {
        throw;
    } catch (...) {
        throw make_error(env, facts_of_current_exception());
    }
}

}  // namespace r1

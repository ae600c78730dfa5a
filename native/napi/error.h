// Native failures as JavaScript errors with a stable `code`. JavaScript thread of an environment.
#pragma once

#include <napi.h>

#include <exception>
#include <string>
#include <system_error>

#include "core/failure.h"
#include "napi/error_maker.h"

namespace r1 {

/** The facts of a failure that a job carries from its thread to JavaScript. */
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
    } catch (const std::system_error & error) {
        if (error.code() == std::errc::resource_unavailable_try_again) {
            return {error_code_name(ErrorCode::ResourceExhausted), no_thread_left().what()};
        }
        return {error_code_name(ErrorCode::Internal), error.what()};
    } catch (const std::exception & error) {
        return {error_code_name(ErrorCode::Internal), error.what()};
    } catch (...) {
        return {error_code_name(ErrorCode::Internal),
                "An unknown exception came out of native code."};
    }
}

/** An error with `message` and `code`: an R1Error once JavaScript has said how one is made. */
inline Napi::Error make_error(Napi::Env env, const ErrorFacts & facts) {
    const Napi::Value made = error_maker::make(env, facts.code, facts.message);
    if (made.IsObject()) {
        return Napi::Error(env, made);
    }
    Napi::Error error = Napi::Error::New(env, facts.message);
    error.Set("code", Napi::String::New(env, facts.code));
    return error;
}

/**
 * Runs a synchronous native function for JavaScript: a Failure becomes a thrown Error with its
 * code, a Napi::Error passes unchanged.
 */
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

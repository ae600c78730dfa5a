// ErrorMaker: the JavaScript function of this environment that makes an error from a code and a
// message, so that native code throws R1Errors directly. JavaScript thread.
#include "napi/error_maker.h"

#include <map>
#include <mutex>

#include "napi/shutdown.h"

namespace r1::error_maker {
namespace {

struct Makers {
    std::mutex mutex;  // several environments; each uses its own entry on its own thread
    std::map<napi_env, Napi::FunctionReference> by_environment;
};

Makers & makers() {
    static Makers * instance = new Makers();
    return *instance;
}

}  // namespace

Napi::Value set(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsFunction()) {
        throw Napi::TypeError::New(env, "Expected a function for `make`.");
    }
    Napi::FunctionReference function = Napi::Persistent(info[0].As<Napi::Function>());
    bool is_first = false;
    {
        std::lock_guard<std::mutex> lock(makers().mutex);
        is_first = makers().by_environment.count(env) == 0;
        makers().by_environment[env] = std::move(function);
    }
    if (is_first) {
        // Runs once, when the environment ends, and is part of it until then.
        new EnvironmentHook(env, [key = napi_env(env)] {
            std::lock_guard<std::mutex> lock(makers().mutex);
            makers().by_environment.erase(key);
        });
    }
    return env.Undefined();
}

Napi::Value make(Napi::Env env, const std::string & code, const std::string & message) {
    try {
        Napi::Function function;
        {
            std::lock_guard<std::mutex> lock(makers().mutex);
            const auto found = makers().by_environment.find(env);
            if (found == makers().by_environment.end()) {
                return env.Undefined();
            }
            function = found->second.Value();
        }
        return function.Call({Napi::String::New(env, code), Napi::String::New(env, message)});
    } catch (const Napi::Error &) {
        return env.Undefined();
    }
}

}  // namespace r1::error_maker

// Environment: the data of one JavaScript environment (the main thread's or a worker's): its class
// constructors and its log sink.
#pragma once

#include <napi.h>

#include <memory>

namespace r1 {

class LogWrap;

struct Environment {
    Napi::FunctionReference model_class;
    Napi::FunctionReference engine_class;
    Napi::FunctionReference grammar_class;
    Napi::FunctionReference cancel_token_class;
    Napi::FunctionReference file_lock_class;
    std::shared_ptr<LogWrap> log;

    static Environment & of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }
};

}  // namespace r1

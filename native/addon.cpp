// Registers the addon's classes and functions; nothing else. Runs on the JavaScript thread of each
// environment that loads it.
#include <napi.h>

#include "napi/error_maker.h"
#include "napi/shutdown.h"
#include "wrap/cancel_token_wrap.h"
#include "wrap/child_process_wrap.h"
#include "wrap/engine_wrap.h"
#include "wrap/environment.h"
#include "wrap/file_lock_wrap.h"
#include "wrap/grammar_wrap.h"
#include "wrap/imatrix_wrap.h"
#include "wrap/jobs.h"
#include "wrap/log_wrap.h"
#include "wrap/model_wrap.h"
#include "wrap/rpc_wrap.h"
#include "wrap/vocabulary_check_wrap.h"

namespace {

Napi::Object start(Napi::Env env, Napi::Object exports) {
    r1::keep_code_loaded();
    auto * environment = new r1::Environment();  // Node owns it from the next line on and deletes
                                                 // it with the environment
    env.SetInstanceData(environment);
    environment->model_class = Napi::Persistent(r1::ModelWrap::define(env));
    environment->engine_class = Napi::Persistent(r1::EngineWrap::define(env));
    environment->grammar_class = Napi::Persistent(r1::GrammarWrap::define(env));
    environment->cancel_token_class = Napi::Persistent(r1::CancelTokenWrap::define(env));
    environment->file_lock_class = Napi::Persistent(r1::FileLockWrap::define(env));

    const auto add = [&](const char * name, Napi::Value (*function)(const Napi::CallbackInfo &)) {
        exports.Set(name, Napi::Function::New(env, function, name));
    };
    add("setErrorMaker", r1::error_maker::set);
    add("initialize", r1::jobs::initialize);
    add("start", r1::jobs::start);
    add("endThreads", r1::jobs::end_threads);
    add("llamaVersion", r1::jobs::llama_version_text);
    add("systemInfo", r1::jobs::system_info);
    add("devices", r1::jobs::devices);
    add("backends", r1::jobs::backends);
    add("loadBackend", r1::jobs::load_backend);
    add("loadBackendNow", r1::jobs::load_backend_now);
    add("tryBackend", r1::jobs::try_backend);
    add("tryModel", r1::jobs::try_model);
    add("startChild", r1::child_process_wrap::start);
    add("reapChild", r1::child_process_wrap::reap);
    add("lockFile", r1::FileLockWrap::lock);
    add("setLogSink", r1::LogWrap::set_sink);
    add("createCancelToken", r1::jobs::create_cancel_token);
    add("loadModel", r1::ModelWrap::load);
    add("createEngine", r1::EngineWrap::create);
    add("quantize", r1::jobs::quantize_file);
    add("computeImatrix", r1::jobs::compute_importance);
    add("copyRange", r1::jobs::copy_file_bytes);
    add("connectRpc", r1::rpc_wrap::connect);
    add("serveRpc", r1::rpc_wrap::serve);
    add("rowBytes", r1::jobs::row_bytes_of);
    add("findEqualStrings", r1::jobs::find_equal_strings);
    add("findNoPair", r1::jobs::find_no_pair);
    add("measureMemoryBandwidth", r1::jobs::measure_memory);
    return exports;
}

}  // namespace

NODE_API_MODULE(r1_native, start)

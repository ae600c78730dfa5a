// The contract's connectRpc and serveRpc. JavaScript thread; both work on separate threads.
#include "wrap/rpc_wrap.h"

#include "core/backend/backend.h"
#include "core/backend/rpc.h"
#include "napi/async_job.h"
#include "napi/fields.h"
#include "wrap/jobs.h"

namespace r1::rpc_wrap {

Napi::Value connect(const Napi::CallbackInfo & info) {
    if (!info[0].IsArray()) {
        throw Napi::TypeError::New(info.Env(), "Expected an array of strings for `endpoints`.");
    }
    const Napi::Array list = info[0].As<Napi::Array>();
    std::vector<std::string> endpoints;
    for (uint32_t i = 0; i < list.Length(); ++i) {
        endpoints.push_back(text_of(list.Get(i), "endpoints"));
    }
    return run_async<std::vector<backend::Device>>(
        info.Env(), "r1.rpc.connect",
        [endpoints = std::move(endpoints)] {
            if (!endpoints.empty()) {
                rpc::connect(endpoints);
            }
            return backend::devices();
        },
        [](Napi::Env env, std::vector<backend::Device> & devices) {
            return jobs::devices_to_js(env, devices);
        });
}

Napi::Value serve(const Napi::CallbackInfo & info) {
    const Fields fields(info[0], "config");
    rpc::ServerConfig config;
    config.host = fields.text("host");
    config.port = fields.uint32("port", 65535);
    config.threads = fields.uint32("threads", 512);
    config.devices = fields.texts("devices");
    config.cache_dir = fields.text("cacheDir");
    return run_async<Nothing>(
        info.Env(), "r1.rpc.serve",
        [config = std::move(config)] {
            rpc::serve(config);
            return Nothing{};
        },
        [](Napi::Env env, Nothing &) { return env.Undefined(); });
}

}  // namespace r1::rpc_wrap

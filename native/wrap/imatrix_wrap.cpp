// computeImatrix of the contract: its configuration, its thread, its results. JavaScript thread,
// except for the work itself.
#include "wrap/imatrix_wrap.h"

#include "core/files/imatrix.h"
#include "napi/async_job.h"
#include "napi/event_channel.h"
#include "napi/fields.h"
#include "wrap/cancel_token_wrap.h"
#include "wrap/environment.h"
#include "wrap/model_wrap.h"

namespace r1::jobs {
namespace {

Napi::Float32Array floats_to_js(Napi::Env env, const std::vector<float> & values) {
    Napi::Float32Array array = Napi::Float32Array::New(env, values.size());
    std::copy(values.begin(), values.end(), array.Data());
    return array;
}

Napi::Value results_to_js(Napi::Env env, const std::vector<ImportanceSums> & results) {
    const Napi::Array array = Napi::Array::New(env, results.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
        const Napi::Object object = Napi::Object::New(env);
        object.Set("name", results[i].name);
        object.Set("sums", floats_to_js(env, results[i].sums));
        object.Set("counts", floats_to_js(env, results[i].counts));
        array.Set(static_cast<uint32_t>(i), object);
    }
    return array;
}

}  // namespace

Napi::Value compute_importance(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    Environment & environment = Environment::of(env);
    if (!info[0].IsObject() ||
        !info[0].As<Napi::Object>().InstanceOf(environment.model_class.Value())) {
        throw Napi::TypeError::New(env, "Expected a NativeModel for `model`.");
    }
    const std::shared_ptr<Model> model =
        guarded(env, [&] { return ModelWrap::Unwrap(info[0].As<Napi::Object>())->model(); });
    const Fields fields(info[1], "config");
    ImatrixConfig config;
    config.tokens = fields.ids("tokens");
    config.chunk = fields.int32("chunkSize");
    config.threads = fields.int32("threads", 1, 512);
    if (!info[2].IsObject() ||
        !info[2].As<Napi::Object>().InstanceOf(environment.cancel_token_class.Value())) {
        throw Napi::TypeError::New(env, "Expected a cancel token for `token`.");
    }
    if (!info[3].IsFunction()) {
        throw Napi::TypeError::New(env, "Expected a function for `onProgress`.");
    }
    const std::shared_ptr<std::atomic<bool>> cancelled =
        CancelTokenWrap::Unwrap(info[2].As<Napi::Object>())->flag();
    const auto progress = std::make_shared<EventChannel<double>>(
        env, "r1.imatrix.progress", info[3].As<Napi::Function>(),
        latest_of<double>([](Napi::Env at, const double & value) -> Napi::Value {
            return Napi::Number::New(at, value);
        }));
    return run_async<std::vector<ImportanceSums>>(
        env, "r1.imatrix",
        [model, config = std::move(config), cancelled, progress] {
            return compute_imatrix(model, config, *cancelled,
                                   [&](double value) { progress->push({value}); });
        },
        [](Napi::Env at, std::vector<ImportanceSums> & results) {
            return results_to_js(at, results);
        },
        {[cancelled] { cancelled->store(true); }, [progress] { progress->close(); }});
}

}  // namespace r1::jobs

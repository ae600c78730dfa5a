// The addon's process-wide functions: start, devices, versions, quantising, copying. JavaScript
// thread; quantising and copying run on separate threads.
#include "wrap/jobs.h"

#include <algorithm>
#include <atomic>

#include "core/backend/backend.h"
#include "core/backend/backend_library.h"
#include "core/backend/memory_speed.h"
#include "core/backend/model_trial.h"
#include "core/files/copy_range.h"
#include "core/files/quantize.h"
#include "napi/async_job.h"
#include "napi/event_channel.h"
#include "napi/fields.h"
#include "wrap/environment.h"
#include "wrap/log_wrap.h"
#include "wrap/model_config.h"
#include "wrap/request_config.h"

namespace r1::jobs {
namespace {

QuantizeConfig quantize_config_of(const Napi::Value & value) {
    const Fields fields(value, "config");
    QuantizeConfig config;
    config.input = fields.text("input");
    config.output = fields.text("output");
    config.type = fields.text("type");
    config.threads = fields.int32("threads", 0, 512);
    config.output_tensor_type = fields.text("outputTensorType");
    config.token_embedding_type = fields.text("tokenEmbeddingType");
    config.allow_requantize = fields.flag("allowRequantize");
    config.quantize_output_tensor = fields.flag("quantizeOutputTensor");
    config.only_copy = fields.flag("onlyCopy");
    config.pure = fields.flag("pure");
    config.keep_split = fields.flag("keepSplit");
    config.dry_run = fields.flag("dryRun");
    for (const Fields & entry : fields.objects("tensorTypes")) {
        config.tensor_types.push_back({entry.text("pattern"), entry.text("type")});
    }
    for (const Fields & entry : fields.objects("imatrix")) {
        config.imatrix.push_back({entry.text("name"), entry.reals("values")});
    }
    config.metadata_overrides = metadata_overrides_of(fields, "metadataOverrides");
    return config;
}

Napi::Array texts_to_js(Napi::Env env, const std::vector<std::string> & texts) {
    const Napi::Array array = Napi::Array::New(env, texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        array.Set(static_cast<uint32_t>(i), texts[i]);
    }
    return array;
}

Napi::Value library_to_js(Napi::Env env, const backend::LibraryResult & result) {
    const Napi::Object object = Napi::Object::New(env);
    object.Set("reason", result.reason);
    object.Set("backend", result.backend);
    object.Set("devices", texts_to_js(env, result.devices));
    return object;
}

}  // namespace

Napi::Value initialize(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] {
        const Fields fields(info[0], "config");
        backend::initialize(fields.text("backendDir"), fields.text("numa"));
        ProcessHook::run_before_existing_hooks();
        return info.Env().Undefined();
    });
}

Napi::Value start(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        const Fields fields(info[0], "config");
        return run_async<Nothing>(
            env, "r1.start",
            [backend_dir = fields.text("backendDir"), numa = fields.text("numa")] {
                backend::initialize(backend_dir, numa);
                backend::devices();
                return Nothing{};
            },
            [](Napi::Env at, Nothing &) -> Napi::Value {
                ProcessHook::run_before_existing_hooks();
                return at.Undefined();
            });
    });
}

Napi::Value end_threads(const Napi::CallbackInfo & info) {
    ProcessHook::run_all(info[0].IsNumber() ? info[0].As<Napi::Number>().Int32Value() : 0);
    return info.Env().Undefined();
}

Napi::Value llama_version_text(const Napi::CallbackInfo & info) {
    return Napi::String::New(info.Env(), llama_version());
}

Napi::Value system_info(const Napi::CallbackInfo & info) {
    return Napi::String::New(info.Env(), std::string(llama_print_system_info()));
}

Napi::Value devices_to_js(Napi::Env env, const std::vector<backend::Device> & devices) {
    const Napi::Array array = Napi::Array::New(env);
    for (const backend::Device & device : devices) {
        const Napi::Object object = Napi::Object::New(env);
        object.Set("name", device.name);
        object.Set("description", device.description);
        object.Set("type", device.type);
        object.Set("freeBytes", static_cast<double>(device.free_bytes));
        object.Set("totalBytes", static_cast<double>(device.total_bytes));
        array.Set(array.Length(), object);
    }
    return array;
}

Napi::Value devices(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return devices_to_js(info.Env(), backend::devices()); });
}

Napi::Value backends(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return texts_to_js(info.Env(), backend::names()); });
}

Napi::Value load_backend(const Napi::CallbackInfo & info) {
    const auto cancelled = std::make_shared<std::atomic<bool>>(false);
    return run_async<backend::LibraryResult>(
        info.Env(), "r1.backend.load",
        [path = text_of(info[0], "path"), name = text_of(info[1], "backend"), cancelled] {
            return backend::load_library(path, name, *cancelled);
        },
        [](Napi::Env at, backend::LibraryResult & result) {
            ProcessHook::run_before_existing_hooks();
            return library_to_js(at, result);
        },
        {[cancelled] { cancelled->store(true); }});
}

Napi::Value load_backend_now(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::optional<backend::LibraryResult> result =
            backend::load_library_now(text_of(info[0], "path"), text_of(info[1], "backend"));
        if (!result) {
            return info.Env().Null();
        }
        ProcessHook::run_before_existing_hooks();
        return library_to_js(info.Env(), *result);
    });
}

Napi::Value try_backend(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] {
        return library_to_js(info.Env(), backend::try_library(text_of(info[0], "path")));
    });
}

Napi::Value try_model(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] {
        model_trial::end_with_parent();
        const ModelConfig model = model_config_of(info[0]);
        if (info[1].IsNull()) {
            model_trial::run(model, nullptr, false);
        } else {
            const EngineConfig engine = engine_config_of(info[1]);
            model_trial::run(model, &engine, info[2].ToBoolean().Value());
        }
        return info.Env().Undefined();
    });
}

Napi::Value create_cancel_token(const Napi::CallbackInfo & info) {
    return Environment::of(info.Env()).cancel_token_class.New({});
}

Napi::Value quantize_file(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    QuantizeConfig config = quantize_config_of(info[0]);
    if (!info[1].IsFunction()) {
        throw Napi::TypeError::New(env, "Expected a function for `onLog`.");
    }
    const auto channel = std::make_shared<EventChannel<LogEntry>>(
        env, "r1.quantize.log", info[1].As<Napi::Function>(), all_of<LogEntry>(log_entry_to_js));
    return run_async<Nothing>(
        env, "r1.quantize",
        [config = std::move(config), channel] {
            const int key =
                log_hub::add_sink([&channel](const LogEntry & entry) { channel->push({entry}); });
            struct Remove {
                int key;
                ~Remove() { log_hub::remove_sink(key); }
            } const remove{key};
            quantize(config);
            return Nothing{};
        },
        [channel](Napi::Env at, Nothing &) { return at.Undefined(); },
        {[] {},
         [env, channel] {
             channel->drain(env);
             channel->close();
         }});
}

Napi::Value copy_file_bytes(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    const Fields fields(info[0], "range");
    constexpr int64_t kExact = int64_t{1} << 53;
    CopyRange range;
    range.from = fields.int32("from", 0);
    range.from_offset = fields.integer("fromOffset", 0, kExact);
    range.to = fields.int32("to", 0);
    range.to_offset = fields.integer("toOffset", 0, kExact);
    range.bytes = fields.integer("bytes", 0, kExact);
    return run_async<int64_t>(
        env, "r1.copy", [range] { return copy_range(range); },
        [](Napi::Env at, int64_t & done) -> Napi::Value {
            return Napi::Number::New(at, static_cast<double>(done));
        });
}

Napi::Value row_bytes_of(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&] {
        if (!info[1].IsNumber()) {
            throw Napi::TypeError::New(env, "Expected a number for `elements`.");
        }
        return Napi::Number::New(
            env, static_cast<double>(
                     row_bytes(text_of(info[0], "type"), info[1].As<Napi::Number>().Int64Value())));
    });
}

Napi::Value measure_memory(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsNumber() || !info[1].IsNumber()) {
        throw Napi::TypeError::New(env, "Expected numbers for `threads` and `milliseconds`.");
    }
    const uint32_t threads = std::clamp<uint32_t>(info[0].As<Napi::Number>().Uint32Value(), 1, 512);
    const std::chrono::milliseconds time(
        std::min<uint32_t>(info[1].As<Napi::Number>().Uint32Value(), 10'000));
    return run_async<double>(
        env, "r1.memory.measure", [threads, time] { return memory_read_speed(threads, time); },
        [](Napi::Env at, double & speed) -> Napi::Value { return Napi::Number::New(at, speed); });
}

}  // namespace r1::jobs

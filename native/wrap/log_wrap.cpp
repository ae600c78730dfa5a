// LogWrap: delivers llama.cpp's log to the JavaScript thread of one environment, in bulk.
#include "wrap/log_wrap.h"

#include "wrap/environment.h"

namespace r1 {
namespace {

const char * level_name(LogLevel level) {
    switch (level) {
        case LogLevel::Error: return "error";
        case LogLevel::Warn: return "warn";
        case LogLevel::Info: return "info";
        case LogLevel::Debug: return "debug";
    }
    return "debug";
}

}  // namespace

Napi::Value log_entry_to_js(Napi::Env env, const LogEntry & entry) {
    const Napi::Object object = Napi::Object::New(env);
    object.Set("level", level_name(entry.level));
    object.Set("text", entry.text);
    return object;
}

LogWrap::LogWrap(Napi::Env env, const Napi::Function & sink)
    : channel_(std::make_shared<EventChannel<LogEntry>>(env, "r1.log", sink,
                                                        all_of<LogEntry>(log_entry_to_js))),
      key_(log_hub::add_sink(
          [channel = channel_](const LogEntry & entry) { channel->push({entry}); })) {}

LogWrap::~LogWrap() {
    log_hub::remove_sink(key_);
    channel_->close();
}

Napi::Value LogWrap::set_sink(const Napi::CallbackInfo & info) {
    Environment & environment = Environment::of(info.Env());
    environment.log.reset();
    if (info[0].IsFunction()) {
        environment.log = std::make_shared<LogWrap>(info.Env(), info[0].As<Napi::Function>());
    } else if (!info[0].IsNull()) {
        throw Napi::TypeError::New(info.Env(), "Expected a function or null for `sink`.");
    }
    return info.Env().Undefined();
}

}  // namespace r1

// LogWrap: delivers llama.cpp's log to the JavaScript thread of one environment, in bulk.
#pragma once

#include <napi.h>

#include <memory>

#include "core/backend/log_hub.h"
#include "napi/event_channel.h"

namespace r1 {

/** A log line as `{ level, text }`. */
Napi::Value log_entry_to_js(Napi::Env env, const LogEntry & entry);

class LogWrap {
public:
    LogWrap(Napi::Env env, const Napi::Function & sink);
    ~LogWrap();
    LogWrap(const LogWrap &) = delete;
    LogWrap & operator=(const LogWrap &) = delete;

    /** setLogSink(sink | null) of the contract. */
    static Napi::Value set_sink(const Napi::CallbackInfo & info);

private:
    std::shared_ptr<EventChannel<LogEntry>> channel_;
    int key_;
};

}  // namespace r1

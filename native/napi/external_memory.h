// ExternalMemory: reports native memory held by a JavaScript object to V8, so that it collects
// objects that were not closed. JavaScript thread.
#pragma once

#include <napi.h>

#include <algorithm>
#include <cstdint>

namespace r1 {

class ExternalMemory {
public:
    /** Reports `bytes`, at most `most`. */
    ExternalMemory(Napi::Env env, uint64_t bytes)
        : env_(env), bytes_(static_cast<int64_t>(std::min(bytes, most))) {
        Napi::MemoryManagement::AdjustExternalMemory(env_, bytes_);
    }
    /** Takes it back. */
    ~ExternalMemory() { Napi::MemoryManagement::AdjustExternalMemory(env_, -bytes_); }
    ExternalMemory(const ExternalMemory &) = delete;
    ExternalMemory & operator=(const ExternalMemory &) = delete;

private:
    // V8 stops for a full collection at the report of more than half of its largest heap; this much
    // only starts a concurrent one.
    static constexpr uint64_t most = uint64_t{512} << 20;

    Napi::Env env_;
    int64_t bytes_;
};

}  // namespace r1

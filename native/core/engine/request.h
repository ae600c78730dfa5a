// Request: one job for the engine, and the events that answer it. Filled on the JavaScript thread,
// then owned by the engine thread, except for its flags.
#pragma once

#include <llama.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/sampling/sampling_config.h"

namespace r1 {

class Grammar;

using Clock = std::chrono::steady_clock;

/** One request, complete. */
struct Request {
    uint32_t id = 0;
    std::vector<llama_token> tokens;  // the prompt, BOS included; at least one
    int32_t max_tokens = -1;          // -1: until the context is full
    SamplingConfig sampling;
    std::vector<std::string> stop;
    std::vector<llama_token> stop_tokens;
    bool ignore_eos = false;
    int32_t logprobs = -1;  // alternatives to report; -1: none
    int32_t priority = 0;
    double timeout_ms = 0;  // 0: none
    bool cache_prompt = true;
    bool guest = false;    // takes no cells from idle sequences and leaves none behind
    uint64_t session = 0;  // the session whose own cells it may also use; 0: none
    llama_token think_token = LLAMA_TOKEN_NULL;
    llama_token end_think_token = LLAMA_TOKEN_NULL;
    bool starts_in_reasoning = false;
    int32_t reasoning_budget = -1;
    std::vector<llama_token> closing;
    std::shared_ptr<Grammar> grammar;  // nullptr: none
    int32_t ngram_draft = 0;           // longest guess by n-gram lookup; 0: off
    int32_t model_draft = 0;           // longest guess by the engine's draft model; 0: off
    int32_t loop_guard = 0;
    bool prompt_progress = false;  // ProgressEvents while the prompt is computed

    Clock::time_point submitted = Clock::now();
    std::atomic<bool> cancelled{false};      // set from any thread
    std::atomic<bool> in_batch{false};       // set by the engine thread while a decode works on it
    std::atomic<bool> end_reasoning{false};  // set from any thread

    bool timed_out(Clock::time_point now) const {
        return timeout_ms > 0 &&
               std::chrono::duration<double, std::milli>(now - submitted).count() >= timeout_ms;
    }
};

enum class EndReason { Stop, Length, StopString, Aborted, Timeout, Loop };

/** One sampled token. `text` is whole characters. */
struct TokenEvent {
    uint32_t id;
    llama_token token;
    std::string text;
    std::optional<TokenLogprobs> logprobs;  // if the request asked for them
    bool is_early = false;                  // among the first of its request: never held back
};

/** Progress of a request's prompt, before its first token, if the request asked for it. */
struct ProgressEvent {
    uint32_t id;
    int32_t total;
    int32_t cached;
    int32_t processed;    // the cached ones included
    double milliseconds;  // since work on the first prompt token began
};

/** The last event of a request that ran. */
struct EndEvent {
    uint32_t id;
    EndReason reason;
    int32_t prompt_tokens;
    int32_t cached_tokens;
    int32_t completion_tokens;
    double queue_ms;
    double first_token_ms;
    double prompt_ms;
    double decode_ms;
    int32_t drafted_tokens;
    int32_t accepted_tokens;
    int32_t stop;  // index of the stop string that ended it; -1: none did
};

/** The last event of a request that failed. `code` is static storage. */
struct ErrorEvent {
    uint32_t id;
    const char * code;
    std::string message;
};

using Event = std::variant<TokenEvent, ProgressEvent, EndEvent, ErrorEvent>;

/** Whether no event of its request follows. */
inline bool is_last(const Event & event) {
    return std::holds_alternative<EndEvent>(event) || std::holds_alternative<ErrorEvent>(event);
}

}  // namespace r1

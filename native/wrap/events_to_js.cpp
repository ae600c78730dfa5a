// Converts native events to the contract's columns: one array for each column instead of an object
// for each token, because creating objects with named properties is expensive. JavaScript thread.
#include "wrap/events_to_js.h"

#include <algorithm>
#include <limits>

namespace r1 {
namespace {

const char * reason_name(EndReason reason) {
    switch (reason) {
        case EndReason::Stop: return "stop";
        case EndReason::Length: return "length";
        case EndReason::StopString: return "stop-string";
        case EndReason::Aborted: return "aborted";
        case EndReason::Timeout: return "timeout";
        case EndReason::Loop: return "loop";
    }
    return "stop";
}

void check(Napi::Env env, napi_status status) {
    if (status != napi_ok) {
        throw Napi::Error::New(env, "Node could not take the engine's events.");
    }
}

/**
 * A JavaScript array filled from its start. Uses plain Node-API calls: the wrapper's own use
 * generic values.
 */
class Column {
public:
    Column(Napi::Env env, std::size_t length) : env_(env) {
        check(env, napi_create_array_with_length(env, length, &array_));
    }

    void push(napi_value value) { check(env_, napi_set_element(env_, array_, length_++, value)); }
    void push(int32_t number) {
        napi_value value = nullptr;
        check(env_, napi_create_int32(env_, number, &value));
        push(value);
    }
    void push(uint32_t number) {
        napi_value value = nullptr;
        check(env_, napi_create_uint32(env_, number, &value));
        push(value);
    }
    void push(const std::string & text) {
        napi_value value = nullptr;
        check(env_, napi_create_string_utf8(env_, text.data(), text.size(), &value));
        push(value);
    }
    napi_value get() const { return array_; }

private:
    Napi::Env env_;
    napi_value array_ = nullptr;
    uint32_t length_ = 0;
};

// Null where no event of the delivery has log probabilities.
napi_value logprobs_to_js(Napi::Env env, const std::vector<const TokenEvent *> & tokens) {
    std::size_t alternatives = 0;
    bool any = false;
    for (const TokenEvent * event : tokens) {
        if (!event->logprobs) continue;
        any = true;
        alternatives += event->logprobs->top.size();
    }
    if (!any) {
        return env.Null();
    }
    Napi::Float32Array own = Napi::Float32Array::New(env, tokens.size());
    Napi::Int32Array counts = Napi::Int32Array::New(env, tokens.size());
    Napi::Int32Array top_tokens = Napi::Int32Array::New(env, alternatives);
    Napi::Float32Array top_logprobs = Napi::Float32Array::New(env, alternatives);
    std::size_t at = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const std::optional<TokenLogprobs> & logprobs = tokens[i]->logprobs;
        own[i] = logprobs ? logprobs->own : std::numeric_limits<float>::quiet_NaN();
        counts[i] = logprobs ? static_cast<int32_t>(logprobs->top.size()) : 0;
        if (!logprobs) continue;
        for (const TokenAlternative & alternative : logprobs->top) {
            top_tokens[at] = alternative.token;
            top_logprobs[at++] = alternative.logprob;
        }
    }
    const Napi::Object columns = Napi::Object::New(env);
    columns.Set("own", own);
    columns.Set("counts", counts);
    columns.Set("topTokens", top_tokens);
    columns.Set("topLogprobs", top_logprobs);
    return columns;
}

Napi::Value end_to_js(Napi::Env env, const EndEvent & event) {
    const Napi::Object object = Napi::Object::New(env);
    object.Set("kind", "end");
    object.Set("id", event.id);
    object.Set("reason", reason_name(event.reason));
    object.Set("promptTokens", event.prompt_tokens);
    object.Set("cachedTokens", event.cached_tokens);
    object.Set("completionTokens", event.completion_tokens);
    object.Set("queueMs", event.queue_ms);
    object.Set("firstTokenMs", event.first_token_ms);
    object.Set("promptMs", event.prompt_ms);
    object.Set("decodeMs", event.decode_ms);
    object.Set("draftedTokens", event.drafted_tokens);
    object.Set("acceptedTokens", event.accepted_tokens);
    object.Set("stop", event.stop);
    return object;
}

Napi::Value progress_to_js(Napi::Env env, const ProgressEvent & event) {
    const Napi::Object object = Napi::Object::New(env);
    object.Set("id", event.id);
    object.Set("total", event.total);
    object.Set("cached", event.cached);
    object.Set("processed", event.processed);
    object.Set("timeMs", event.milliseconds);
    return object;
}

Napi::Value error_to_js(Napi::Env env, const ErrorEvent & event) {
    const Napi::Object object = Napi::Object::New(env);
    object.Set("kind", "error");
    object.Set("id", event.id);
    object.Set("code", event.code);
    object.Set("message", event.message);
    return object;
}

}  // namespace

std::vector<napi_value> events_to_js(Napi::Env env, const std::vector<Event> & events) {
    std::vector<const TokenEvent *> tokens;
    tokens.reserve(events.size());
    for (const Event & event : events) {
        if (const auto * token = std::get_if<TokenEvent>(&event)) {
            tokens.push_back(token);
        }
    }
    Column requests(env, tokens.size());
    Column ids(env, tokens.size());
    Column texts(env, tokens.size());
    for (const TokenEvent * event : tokens) {
        const Napi::HandleScope scope(env);
        requests.push(event->id);
        ids.push(static_cast<int32_t>(event->token));
        texts.push(event->text);
    }
    const auto last =
        static_cast<std::size_t>(std::count_if(events.begin(), events.end(), is_last));
    Column ends(env, last);
    Column progress(env, events.size() - tokens.size() - last);
    for (const Event & event : events) {
        if (const auto * end = std::get_if<EndEvent>(&event)) {
            ends.push(end_to_js(env, *end));
        } else if (const auto * error = std::get_if<ErrorEvent>(&event)) {
            ends.push(error_to_js(env, *error));
        } else if (const auto * step = std::get_if<ProgressEvent>(&event)) {
            progress.push(progress_to_js(env, *step));
        }
    }
    return {requests.get(), ids.get(),     texts.get(), logprobs_to_js(env, tokens),
            ends.get(),     progress.get()};
}

}  // namespace r1

// Native events as the contract's plain objects. JavaScript thread.
#include "wrap/events_to_js.h"

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

Napi::Value token_to_js(Napi::Env env, const TokenEvent & event) {
    const Napi::Object object = Napi::Object::New(env);
    object.Set("kind", "token");
    object.Set("id", event.id);
    object.Set("token", event.token);
    object.Set("text", event.text);
    if (event.has_logprob) {
        object.Set("logprob", static_cast<double>(event.logprob));
        Napi::Int32Array tokens = Napi::Int32Array::New(env, event.top.size());
        Napi::Float32Array logprobs = Napi::Float32Array::New(env, event.top.size());
        for (std::size_t i = 0; i < event.top.size(); ++i) {
            tokens[i] = event.top[i].token;
            logprobs[i] = event.top[i].logprob;
        }
        object.Set("topTokens", tokens);
        object.Set("topLogprobs", logprobs);
    }
    return object;
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

Napi::Value event_to_js(Napi::Env env, const Event & event) {
    if (const auto * token = std::get_if<TokenEvent>(&event)) {
        return token_to_js(env, *token);
    }
    if (const auto * end = std::get_if<EndEvent>(&event)) {
        return end_to_js(env, *end);
    }
    return error_to_js(env, std::get<ErrorEvent>(event));
}

}  // namespace r1

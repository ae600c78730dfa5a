// ModelWrap: the contract's NativeModel. Its synchronous methods run on the JavaScript thread,
// loading and freeing on separate threads.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>

#include "core/backend/model.h"
#include "napi/external_memory.h"

namespace r1 {

class ModelWrap : public Napi::ObjectWrap<ModelWrap> {
public:
    static Napi::Function define(Napi::Env env);

    /** loadModel(config, token, onProgress) of the contract. */
    static Napi::Value load(const Napi::CallbackInfo & info);

    explicit ModelWrap(const Napi::CallbackInfo & info);
    ~ModelWrap() override;

    /** The model, for an engine. Throws an Error with code DISPOSED after close(). */
    std::shared_ptr<Model> model() const;

private:
    Napi::Value info(const Napi::CallbackInfo & info);
    Napi::Value vocab(const Napi::CallbackInfo & info);
    Napi::Value special_tokens(const Napi::CallbackInfo & info);
    Napi::Value metadata(const Napi::CallbackInfo & info);
    Napi::Value chat_template(const Napi::CallbackInfo & info);
    Napi::Value tokenize(const Napi::CallbackInfo & info);
    Napi::Value tokenize_segments(const Napi::CallbackInfo & info);
    Napi::Value tokenize_async(const Napi::CallbackInfo & info);
    Napi::Value tokenize_segments_async(const Napi::CallbackInfo & info);
    Napi::Value detokenize(const Napi::CallbackInfo & info);
    Napi::Value detokenize_bytes(const Napi::CallbackInfo & info);
    Napi::Value compile_grammar(const Napi::CallbackInfo & info);
    Napi::Value known_grammar(const Napi::CallbackInfo & info);
    Napi::Value close(const Napi::CallbackInfo & info);

    std::shared_ptr<Model> model_;
    std::optional<ExternalMemory> memory_;
};

}  // namespace r1

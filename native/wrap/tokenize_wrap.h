// The contract's tokenising: NativeModel's tokenize, tokenizeSegments and their asynchronous forms.
// JavaScript thread; the asynchronous forms work on separate threads.
#pragma once

#include <napi.h>

#include <memory>

#include "core/backend/model.h"

namespace r1 {

/** tokenize(text, special): ids. Throws an Error with the Failure's code. */
Napi::Value tokenize(const Napi::CallbackInfo & info, const std::shared_ptr<Model> & model);

/** tokenizeSegments(texts, ids): { tokens, ends }. Throws as `tokenize`. */
Napi::Value tokenize_segments(const Napi::CallbackInfo & info,
                              const std::shared_ptr<Model> & model);

/** The same as a promise. The model lives until it is settled, and is freed off this thread. */
Napi::Value tokenize_async(const Napi::CallbackInfo & info, std::shared_ptr<Model> model);
Napi::Value tokenize_segments_async(const Napi::CallbackInfo & info, std::shared_ptr<Model> model);

}  // namespace r1

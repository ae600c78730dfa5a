// Owning handles for objects of libllama and ggml: freed exactly once, on the thread that drops the
// last owner.
#pragma once

#include <llama-cpp.h>

#include <memory>

namespace r1 {

/** Weights: shared, since contexts and vocabularies must not outlive them. */
using ModelHandle = std::shared_ptr<llama_model>;
using ContextHandle = llama_context_ptr;
using SamplerHandle = llama_sampler_ptr;

}  // namespace r1

// Sampler: one request's chain of llama.cpp samplers, with grammar and logprobs. Engine thread
// only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/grammar.h"
#include "core/handles.h"
#include "core/request.h"
#include "core/vocab.h"

namespace r1 {

class Sampler {
public:
    /**
     * Builds the chain in the order of llama.cpp's common_sampler_init. `ignore_eos` makes every
     * end-of-generation token impossible. `stop_tokens` end the generation too, so that a grammar
     * allows them only where it is complete. Throws Failure: InvalidArgument (a name or value
     * llama.cpp would abort on), GrammarInvalid.
     */
    Sampler(const Vocab & vocab, const SamplingConfig & config, const std::string & grammar,
            bool ignore_eos, int32_t context_size, std::vector<llama_token> stop_tokens = {});
    Sampler(const Sampler &) = delete;
    Sampler & operator=(const Sampler &) = delete;

    /** Tells the chain of a token it did not choose (prompt, forced): for penalties. The grammar
     * does not see it. */
    void observe(llama_token token);

    /**
     * Chooses the next token from `logits` (vocabulary size values) and tells the chain.
     * `with_grammar`: only what the grammar allows; `exempt` (or LLAMA_TOKEN_NULL) is allowed
     * beside it and leaves the grammar as it is. Throws Failure(DecodeFailed) when nothing can be
     * chosen.
     */
    llama_token sample(const float * logits, bool with_grammar, llama_token exempt);

    bool has_grammar() const { return grammar_ != nullptr; }

    /** Whether a token ends the generation: one of the vocabulary's own or of the request's. */
    bool is_end(llama_token token) const;

private:
    llama_token most_likely(const float * logits) const;
    void fill(const float * logits);
    bool fill_top(const float * logits, std::size_t count);
    llama_token choose();
    bool permits(llama_token token) const;

    const Vocab & vocab_;
    SamplerHandle chain_;
    std::unique_ptr<Grammar> grammar_;
    std::vector<llama_token> stop_tokens_;
    int32_t head_ =
        0;  // > 0: the chain begins with a top-k of this many, so that a prefilter is exact
    bool greedy_ = false;                 // the chain can only choose the largest possible logit
    std::vector<llama_token> forbidden_;  // ids made impossible before that top-k, ascending
    std::vector<llama_token_data> candidates_;
    std::vector<float> block_max_;
    std::vector<float> block_sorted_;
    llama_token_data_array array_{};
};

/** Logarithm of the probability of `token`, and the `count` most likely tokens, before any sampler.
 * `logits` has `size` values. */
void fill_logprobs(const float * logits, int32_t size, llama_token token, int32_t count,
                   TokenEvent & event);

}  // namespace r1

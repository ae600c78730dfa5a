// Sampler: one request's chain of llama.cpp samplers, with grammar and logprobs. Engine thread
// only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/handles.h"
#include "core/sampling/grammar.h"
#include "core/sampling/sampling_config.h"
#include "core/text/vocab.h"

namespace r1 {

class Sampler {
public:
    /**
     * Builds the chain in the order of llama.cpp's common_sampler_init. `ignore_eos` makes every
     * end-of-generation token impossible. `stop_tokens` end the generation too, so that a grammar
     * allows them only where it is complete. `grammar` may be nullptr. Throws
     * Failure(InvalidArgument) for a name or value llama.cpp would abort on.
     */
    Sampler(const Vocab & vocab, const SamplingConfig & config, std::shared_ptr<Grammar> grammar,
            bool ignore_eos, int32_t context_size, std::vector<llama_token> stop_tokens = {});
    Sampler(const Sampler &) = delete;
    Sampler & operator=(const Sampler &) = delete;

    /**
     * Adds a token that the chain did not choose (prompt, forced), for penalties. The grammar does
     * not see it.
     */
    void observe(llama_token token);

    /**
     * Chooses the next token from `logits` (vocabulary size values) and updates the chain.
     * `with_grammar`: only tokens that the grammar allows; `exempt` (or LLAMA_TOKEN_NULL) is also
     * allowed and does not advance the grammar. Returns nothing if the grammar needs more than
     * `time` (nullptr: no limit): call it again with the same arguments. Throws Failure:
     * DecodeFailed when nothing can be chosen, GrammarInvalid when the grammar takes too much work
     * or memory.
     */
    std::optional<llama_token> sample(const float * logits, bool with_grammar, llama_token exempt,
                                      GrammarTime * time = nullptr);

    bool has_grammar() const { return grammar_ != nullptr; }

    /** Whether a token ends the generation: one of the vocabulary's own or of the request's. */
    bool is_end(llama_token token) const;

private:
    llama_token most_likely(const float * logits) const;
    void fill(const float * logits);
    bool fill_top(const float * logits, std::size_t count);
    llama_token choose(const float * logits);
    std::optional<bool> permits(llama_token token, const GrammarBudget & budget) const;
    llama_token choose_permitted(const float * logits, const TokenMask & mask, llama_token exempt);

    const Vocab & vocab_;
    SamplerHandle chain_;
    std::unique_ptr<GrammarCursor> grammar_;
    std::optional<llama_token> free_choice_;  // waits for the grammar's word
    std::vector<llama_token> stop_tokens_;
    int32_t head_ =
        0;  // > 0: the chain begins with a top-k of this many, so that a prefilter is exact
    bool greedy_ = false;                 // the chain can only choose the largest possible logit
    std::vector<llama_token> forbidden_;  // ids made impossible before that top-k, ascending
    std::vector<llama_token_data> candidates_;
    std::vector<float> masked_;  // logits, what the grammar forbids made impossible
    std::vector<float> block_max_;
    std::vector<float> block_sorted_;
    llama_token_data_array array_{};
};

/** Logarithm of the probability of `token`, and the `count` most likely tokens, before any sampler.
 * `logits` has `size` values. */
TokenLogprobs logprobs_of(const float * logits, int32_t size, llama_token token, int32_t count);

}  // namespace r1

// SamplingConfig: how one request chooses its tokens, and the log probabilities of a
// choice. Plain data.
#pragma once

#include <llama.h>

#include <cstdint>
#include <string>
#include <vector>

namespace r1 {

/** A complete sampler configuration; names and values as in llama.cpp's common_params_sampling. */
struct SamplingConfig {
    std::vector<std::string> samplers;
    uint32_t seed = 0;
    float temperature = 0;
    float dynatemp_range = 0;
    float dynatemp_exponent = 1;
    int32_t top_k = 0;
    float top_p = 1;
    float min_p = 0;
    float typical_p = 1;
    float top_n_sigma = -1;
    float xtc_probability = 0;
    float xtc_threshold = 0.1f;
    int32_t min_keep = 0;
    int32_t penalty_last_n = 0;
    float repeat_penalty = 1;
    float frequency_penalty = 0;
    float presence_penalty = 0;
    float dry_multiplier = 0;
    float dry_base = 1.75f;
    int32_t dry_allowed_length = 2;
    int32_t dry_penalty_last_n = 64;
    std::vector<std::string> dry_sequence_breakers;
    int32_t mirostat = 0;
    float mirostat_tau = 5;
    float mirostat_eta = 0.1f;
    std::vector<llama_logit_bias> logit_bias;
};

/** A token that could have been chosen. */
struct TokenAlternative {
    llama_token token;
    float logprob;
};

/** Natural logarithms of probabilities before any sampler: the chosen token's, and the most likely
 * tokens, most likely first. */
struct TokenLogprobs {
    float own = 0;
    std::vector<TokenAlternative> top;
};

}  // namespace r1

// Sampler: one request's chain of llama.cpp samplers, with grammar and logprobs. Engine thread
// only.
#include "core/sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "core/failure.h"

namespace r1 {
namespace {

constexpr std::size_t block_size = 64;

void check(bool good, const std::string & what) {
    if (!good) {
        throw Failure(ErrorCode::InvalidArgument, what);
    }
}

// Values that make llama.cpp abort or return nonsense (llama-sampler.cpp, common_sampler_init).
void check_values(const SamplingConfig & c, const Vocab & vocab) {
    check(std::isfinite(c.repeat_penalty) && c.repeat_penalty > 0 &&
              std::isfinite(1.0f / c.repeat_penalty),
          "`repeatPenalty` is a number above 0.");
    check(std::isfinite(c.frequency_penalty) && std::isfinite(c.presence_penalty),
          "`frequencyPenalty` and `presencePenalty` are finite numbers.");
    check(std::isfinite(c.temperature) && std::isfinite(c.dynatemp_range) &&
              std::isfinite(c.dynatemp_exponent),
          "Temperatures are finite numbers.");
    check(c.top_k >= 0 && c.min_keep >= 0 && c.penalty_last_n >= 0 && c.dry_penalty_last_n >= 0 &&
              c.dry_allowed_length >= 0,
          "Sampler counts are not negative.");
    check(c.mirostat >= 0 && c.mirostat <= 2, "`mirostat` is 0, 1 or 2.");
    for (const llama_logit_bias & bias : c.logit_bias) {
        check(vocab.contains(bias.token), "`logitBias` names token " + std::to_string(bias.token) +
                                              ", which is outside the vocabulary.");
    }
}

llama_sampler * make_member(const std::string & name, const SamplingConfig & c, const Vocab & vocab,
                            int32_t context_size) {
    const auto keep = static_cast<std::size_t>(c.min_keep);
    if (name == "penalties") {
        return llama_sampler_init_penalties(vocab.size(), std::min(c.penalty_last_n, context_size),
                                            c.repeat_penalty, c.frequency_penalty,
                                            c.presence_penalty);
    }
    if (name == "dry") {
        std::vector<const char *> breakers;
        for (const std::string & breaker : c.dry_sequence_breakers) {
            breakers.push_back(breaker.c_str());
        }
        return llama_sampler_init_dry(
            vocab.handle(), c.dry_multiplier, c.dry_base, c.dry_allowed_length,
            std::min(c.dry_penalty_last_n, context_size), breakers.data(), breakers.size());
    }
    if (name == "top_n_sigma") return llama_sampler_init_top_n_sigma(c.top_n_sigma);
    if (name == "top_k") return llama_sampler_init_top_k(c.top_k);
    if (name == "typ_p") return llama_sampler_init_typical(c.typical_p, keep);
    if (name == "top_p") return llama_sampler_init_top_p(c.top_p, keep);
    if (name == "min_p") return llama_sampler_init_min_p(c.min_p, keep);
    if (name == "xtc")
        return llama_sampler_init_xtc(c.xtc_probability, c.xtc_threshold, keep, c.seed);
    if (name == "temperature")
        return llama_sampler_init_temp_ext(c.temperature, c.dynatemp_range, c.dynatemp_exponent);
    throw Failure(ErrorCode::InvalidArgument, "`" + name + "` is not a sampler.");
}

// A member that changes nothing at these values and draws no random number.
bool is_idle(const std::string & name, const SamplingConfig & c) {
    if (name == "penalties")
        return c.penalty_last_n == 0 || (c.repeat_penalty == 1.0f && c.frequency_penalty == 0.0f &&
                                         c.presence_penalty == 0.0f);
    if (name == "dry")
        return c.dry_multiplier == 0.0f || c.dry_base < 1.0f || c.dry_penalty_last_n == 0;
    if (name == "top_n_sigma") return c.top_n_sigma <= 0.0f;
    if (name == "xtc") return c.xtc_probability <= 0.0f || c.xtc_threshold > 0.5f;
    if (name == "typ_p") return c.typical_p >= 1.0f;
    return false;
}

// Neither NaN nor infinity: llama.cpp's chain has its own behaviour for these.
bool are_ordinary(const float * logits, std::size_t size) {
    constexpr float limit = std::numeric_limits<float>::infinity();
    bool ordinary = true;
    for (std::size_t i = 0; i < size; ++i) ordinary = (logits[i] < limit) & ordinary;
    return ordinary;
}

// A member that never removes or changes the largest logit.
bool keeps_largest(const std::string & name) {
    return name == "top_n_sigma" || name == "top_k" || name == "top_p" || name == "min_p" ||
           name == "temperature";
}

}  // namespace

Sampler::Sampler(const Vocab & vocab, const SamplingConfig & config,
                 std::shared_ptr<Grammar> grammar, bool ignore_eos, int32_t context_size,
                 std::vector<llama_token> stop_tokens)
    : vocab_(vocab), stop_tokens_(std::move(stop_tokens)) {
    check_values(config, vocab);
    llama_sampler_chain_params params = llama_sampler_chain_default_params();
    params.no_perf = true;
    chain_.reset(llama_sampler_chain_init(params));
    const auto add = [this](llama_sampler * member) {
        if (member == nullptr) {
            throw Failure(ErrorCode::InvalidArgument, "llama.cpp refused a sampler's values.");
        }
        llama_sampler_chain_add(chain_.get(), member);  // the chain owns it now
    };

    std::vector<llama_logit_bias> biases = config.logit_bias;
    int32_t suppressed = 0;
    const llama_token * suppress = llama_vocab_get_suppress_tokens(vocab.handle(), &suppressed);
    for (int32_t i = 0; i < suppressed; ++i) {
        if (vocab.contains(suppress[i])) {
            biases.push_back({suppress[i], -INFINITY});
        }
    }
    if (ignore_eos) {
        for (llama_token id = 0; id < vocab.size(); ++id) {
            if (vocab.is_end_of_generation(id)) {
                biases.push_back({id, -INFINITY});
            }
        }
    }
    if (!biases.empty()) {
        add(llama_sampler_init_logit_bias(vocab.size(), static_cast<int32_t>(biases.size()),
                                          biases.data()));
    }

    if (config.mirostat == 0) {
        // A prefilter can leave impossible ids out, but knows nothing of other biases.
        bool first = std::all_of(biases.begin(), biases.end(),
                                 [](const llama_logit_bias & b) { return b.bias == -INFINITY; });
        for (const llama_logit_bias & bias : biases) {
            forbidden_.push_back(bias.token);
        }
        std::sort(forbidden_.begin(), forbidden_.end());
        // Without the temperature sampler, a temperature of 0 has no effect: the chain then draws.
        greedy_ = first && config.temperature <= 0 && config.dynatemp_range <= 0 &&
                  std::find(config.samplers.begin(), config.samplers.end(), "temperature") !=
                      config.samplers.end();
        for (const std::string & name : config.samplers) {
            if (is_idle(name, config)) {
                continue;  // keeps order, results and random numbers unchanged
            }
            if (first && name == "top_k" && config.top_k > 0 && config.top_k <= 128) {
                head_ = config.top_k;
            }
            first = false;
            greedy_ = greedy_ && keeps_largest(name);
            add(make_member(name, config, vocab, context_size));
        }
        add(llama_sampler_init_dist(config.seed));
    } else {
        add(llama_sampler_init_temp(config.temperature));
        add(config.mirostat == 1
                ? llama_sampler_init_mirostat(vocab.size(), config.seed, config.mirostat_tau,
                                              config.mirostat_eta, 100)
                : llama_sampler_init_mirostat_v2(config.seed, config.mirostat_tau,
                                                 config.mirostat_eta));
    }

    if (grammar != nullptr) {
        grammar_ = std::make_unique<GrammarCursor>(std::move(grammar));
    }
}

void Sampler::observe(llama_token token) { llama_sampler_accept(chain_.get(), token); }

void Sampler::fill(const float * logits) {
    const auto size = static_cast<std::size_t>(vocab_.size());
    candidates_.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
        candidates_[i] = {static_cast<llama_token>(i), logits[i], 0.0f};
    }
    array_ = {candidates_.data(), candidates_.size(), -1, false};
}

/**
 * Fills only candidates that can be among the `count` largest, so that llama.cpp's top-k sorts a
 * few hundred instead of the whole vocabulary. False where the result could differ from the full
 * one: equal logits at or above the border (their order is the sort's own), values that are no
 * numbers, and infinite ones.
 */
bool Sampler::fill_top(const float * logits, std::size_t count) {
    const auto size = static_cast<std::size_t>(vocab_.size());
    const std::size_t blocks = size / block_size;
    const std::size_t wanted = count + forbidden_.size();
    if (blocks <= wanted * 2 || !are_ordinary(logits, size)) {
        return false;
    }
    block_max_.resize(blocks);
    for (std::size_t b = 0; b < blocks; ++b) {
        const float * block = logits + b * block_size;
        float lanes[16];
        std::copy(block, block + 16, lanes);
        for (std::size_t i = 16; i < block_size; i += 16) {
            for (std::size_t lane = 0; lane < 16; ++lane) {
                lanes[lane] = block[i + lane] > lanes[lane] ? block[i + lane] : lanes[lane];
            }
        }
        block_max_[b] = *std::max_element(lanes, lanes + 16);
    }
    block_sorted_ = block_max_;
    std::nth_element(block_sorted_.begin(),
                     block_sorted_.begin() + static_cast<std::ptrdiff_t>(wanted) - 1,
                     block_sorted_.end(), std::greater<float>());
    const float floor =
        block_sorted_[wanted -
                      1];  // at least `wanted` logits reach it, so at least `count` possible ones
    if (!(floor > -std::numeric_limits<float>::infinity())) {
        return false;
    }
    candidates_.clear();
    const auto take = [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; ++i) {
            if (logits[i] >= floor && !std::binary_search(forbidden_.begin(), forbidden_.end(),
                                                          static_cast<llama_token>(i))) {
                candidates_.push_back({static_cast<llama_token>(i), logits[i], 0.0f});
            }
        }
    };
    for (std::size_t b = 0; b < blocks; ++b) {
        if (block_max_[b] >= floor) {
            take(b * block_size, (b + 1) * block_size);
        }
    }
    take(blocks * block_size, size);
    const auto border =
        candidates_.begin() + static_cast<std::ptrdiff_t>(std::min(count + 1, candidates_.size()));
    std::partial_sort(
        candidates_.begin(), border, candidates_.end(),
        [](const llama_token_data & a, const llama_token_data & b) { return a.logit > b.logit; });
    for (auto it = candidates_.begin(); it + 1 < border; ++it) {
        if (!(it->logit > (it + 1)->logit)) {
            return false;
        }
    }
    candidates_.resize(std::min(count, candidates_.size()));
    array_ = {candidates_.data(), candidates_.size(), -1, true};
    return true;
}

// The id of the largest possible logit; LLAMA_TOKEN_NULL where it is not the only one of its value
// (then the order of llama.cpp's sort decides), where it is infinite, or where some are no numbers.
llama_token Sampler::most_likely(const float * logits) const {
    if (!are_ordinary(logits, static_cast<std::size_t>(vocab_.size()))) return LLAMA_TOKEN_NULL;
    llama_token best = LLAMA_TOKEN_NULL;
    float largest = -std::numeric_limits<float>::infinity();
    bool tied = false;
    for (llama_token id = 0; id < vocab_.size(); ++id) {
        if (!(logits[id] >= largest) ||
            std::binary_search(forbidden_.begin(), forbidden_.end(), id)) {
            continue;
        }
        tied = logits[id] == largest;
        largest = logits[id];
        best = id;
    }
    return tied ? LLAMA_TOKEN_NULL : best;
}

// Draws with the chain, over the fewest candidates that give the same choice as all of them.
llama_token Sampler::choose(const float * logits) {
    if (const llama_token token = greedy_ ? most_likely(logits) : LLAMA_TOKEN_NULL;
        token != LLAMA_TOKEN_NULL) {
        return token;
    }
    if (head_ == 0 || !fill_top(logits, static_cast<std::size_t>(head_))) {
        fill(logits);
    }
    llama_sampler_apply(chain_.get(), &array_);
    if (array_.selected < 0 || static_cast<std::size_t>(array_.selected) >= array_.size) {
        throw Failure(
            ErrorCode::DecodeFailed,
            "The samplers left no token to choose. Loosen them, or check the model file.");
    }
    return array_.data[array_.selected].id;
}

bool Sampler::is_end(llama_token token) const {
    return vocab_.is_end_of_generation(token) ||
           std::find(stop_tokens_.begin(), stop_tokens_.end(), token) != stop_tokens_.end();
}

// Whether the grammar allows a token. A token that ends the generation is allowed only where the
// text may end.
std::optional<bool> Sampler::permits(llama_token token, const GrammarBudget & budget) const {
    return is_end(token) ? grammar_->is_complete() : grammar_->allows(token, budget);
}

// Like upstream: tokens that the grammar forbids become impossible, and the chain draws again.
llama_token Sampler::choose_permitted(const float * logits, const TokenMask & mask,
                                      llama_token exempt) {
    constexpr float impossible = -std::numeric_limits<float>::infinity();
    const bool complete = grammar_->is_complete();
    const auto size = static_cast<std::size_t>(vocab_.size());
    masked_.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
        masked_[i] = (mask[i / 64] >> (i % 64) & 1) != 0 ? logits[i] : impossible;
    }
    const auto decide = [&](llama_token id) {
        const auto at = static_cast<std::size_t>(id);
        masked_[at] = id == exempt || complete ? logits[at] : impossible;
    };
    for (const llama_token id : vocab_.end_tokens()) decide(id);
    for (const llama_token id : stop_tokens_) {
        if (vocab_.contains(id)) decide(id);
    }
    if (exempt != LLAMA_TOKEN_NULL && vocab_.contains(exempt)) decide(exempt);
    const bool any =
        std::any_of(masked_.begin(), masked_.end(), [](float logit) { return logit > impossible; });
    const llama_token token = any ? choose(masked_.data()) : LLAMA_TOKEN_NULL;
    // If other options exclude all tokens that the grammar allows, the chain chooses among the
    // excluded ones.
    const bool good = token != LLAMA_TOKEN_NULL &&
                      (token == exempt || (is_end(token) ? complete : holds(mask, token)));
    if (!good) {
        throw Failure(ErrorCode::DecodeFailed,
                      "The grammar and the other options together leave no token of this "
                      "vocabulary. Check the grammar or the schema, and `logitBias`.");
    }
    return token;
}

std::optional<llama_token> Sampler::sample(const float * logits, bool with_grammar,
                                           llama_token exempt, GrammarTime * time) {
    // Upstream draws freely first, and asks the grammar for that token only.
    if (!free_choice_) free_choice_ = choose(logits);
    llama_token token = *free_choice_;
    if (with_grammar && grammar_ != nullptr && token != exempt) {
        const GrammarBudget budget = time != nullptr ? time->open() : GrammarBudget{};
        const std::optional<bool> permitted = permits(token, budget);
        std::shared_ptr<const TokenMask> mask;
        if (permitted && !*permitted) mask = grammar_->mask(budget);
        if (time != nullptr) time->close();
        if (!permitted || (!*permitted && mask == nullptr)) return std::nullopt;
        if (!*permitted) token = choose_permitted(logits, *mask, exempt);
        if (token != exempt && !is_end(token)) grammar_->accept(token);
    }
    free_choice_.reset();
    llama_sampler_accept(chain_.get(), token);
    return token;
}

TokenLogprobs logprobs_of(const float * logits, int32_t size, llama_token token, int32_t count) {
    const float highest = *std::max_element(logits, logits + size);
    double sum = 0;
    for (int32_t i = 0; i < size; ++i) {
        sum += std::exp(static_cast<double>(logits[i] - highest));
    }
    const double norm = static_cast<double>(highest) + std::log(sum);
    const auto logprob = [&](llama_token id) {
        return static_cast<float>(static_cast<double>(logits[id]) - norm);
    };
    TokenLogprobs result{logprob(token), {}};
    if (count <= 0) {
        return result;
    }
    std::vector<llama_token> ids(static_cast<std::size_t>(size));
    for (int32_t i = 0; i < size; ++i) {
        ids[static_cast<std::size_t>(i)] = i;
    }
    const auto end = ids.begin() + std::min(count, size);
    std::partial_sort(ids.begin(), end, ids.end(), [logits](llama_token a, llama_token b) {
        return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
    });
    for (auto it = ids.begin(); it != end; ++it) {
        result.top.push_back({*it, logprob(*it)});
    }
    return result;
}

}  // namespace r1

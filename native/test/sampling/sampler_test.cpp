// Claims about Sampler: the prefiltered top-k chooses what the whole vocabulary would, values that
// llama.cpp aborts on are refused, grammars bind.
#include "core/sampling/sampler.h"

#include <cmath>
#include <limits>

#include "core/failure.h"
#include "test/check.h"
#include "test/engine/requests.h"
#include "test/tiny_model.h"

namespace {

using namespace r1;

// A bias of nothing changes no logit, but puts a step before top-k: the sampler then looks at the
// whole vocabulary.
SamplingConfig unfiltered(SamplingConfig config) {
    config.logit_bias = {{0, 0.0f}};
    return config;
}

std::vector<float> random_logits(std::size_t size, std::size_t kind, test::Dice & dice) {
    std::vector<float> logits(size);
    for (float & logit : logits) {
        const float value = dice.normal();
        switch (kind) {
            case 0: logit = value * 3; break;
            case 1: logit = std::round(value * 4) / 4; break;  // many ties
            case 2:
                logit = dice.below(1000) == 0 ? value * 3 : -std::numeric_limits<float>::infinity();
                break;                    // few possible
            case 3: logit = 1.5f; break;  // all alike
            case 4:
                logit = value + (dice.below(20000) == 0 ? 20.0f : 0.0f);
                break;                                                // some far above
            default: logit = std::round(value * 1000) / 1000; break;  // a tie now and then
        }
    }
    return logits;
}

R1_TEST("sampler: the prefiltered top-k chooses what the whole vocabulary would, ties included") {
    const std::shared_ptr<Model> model =
        test::vocabulary_of(R1_SOURCE_DIR "/vendor/llama.cpp/models/ggml-vocab-qwen2.gguf");
    const Vocab & vocab = model->vocab();
    CHECK(vocab.size() > 150000);
    test::Dice dice(7);
    for (const int32_t top_k : {1, 2, 40, 128}) {
        SamplingConfig config = test::chain({"top_k", "top_p", "min_p", "temperature"});
        config.top_k = top_k;
        config.top_p = 0.98f;
        config.min_p = 0.001f;
        config.temperature = 1.3f;
        config.seed = 11;
        Sampler fast(vocab, config, nullptr, false, 1024);
        Sampler slow(vocab, unfiltered(config), nullptr, false, 1024);
        for (std::size_t kind = 0; kind < 6; ++kind) {
            const std::vector<float> logits =
                random_logits(static_cast<std::size_t>(vocab.size()), kind, dice);
            for (int draw = 0; draw < 12; ++draw) {
                CHECK_EQUAL(*fast.sample(logits.data(), false, LLAMA_TOKEN_NULL),
                            *slow.sample(logits.data(), false, LLAMA_TOKEN_NULL));
            }
        }
    }
}

R1_TEST("sampler: a vocabulary too small to prefilter, or one with an odd tail, is sampled alike") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    test::Dice dice(8);
    for (const int32_t top_k : {1, 3, 5, 6, 40}) {
        SamplingConfig config = test::chain({"top_k", "temperature"});
        config.top_k = top_k;
        config.temperature = 2;
        Sampler fast(vocab, config, nullptr, false, 1024);
        Sampler slow(vocab, unfiltered(config), nullptr, false, 1024);
        for (int round = 0; round < 400; ++round) {
            std::vector<float> logits =
                random_logits(static_cast<std::size_t>(vocab.size()), dice.below(6), dice);
            logits[logits.size() - 1 - dice.below(60)] =
                dice.coin() ? 30.0f : 4.0f;  // the best one behind the last whole block
            CHECK_EQUAL(*fast.sample(logits.data(), false, LLAMA_TOKEN_NULL),
                        *slow.sample(logits.data(), false, LLAMA_TOKEN_NULL));
        }
    }
}

// Chains of a few members in any order, with values at and beyond their edges.
SamplingConfig random_chain(const Vocab & vocab, test::Dice & dice) {
    const std::vector<std::string> names = {"penalties", "dry",   "top_n_sigma",
                                            "top_k",     "typ_p", "top_p",
                                            "min_p",     "xtc",   "temperature"};
    std::vector<std::string> chosen;
    for (const std::string & name : names) {
        if (dice.coin())
            chosen.insert(
                chosen.begin() + static_cast<std::ptrdiff_t>(dice.below(chosen.size() + 1)), name);
    }
    SamplingConfig config = test::chain(std::move(chosen));
    config.seed = static_cast<uint32_t>(dice.below(1000));
    config.temperature = dice.coin() ? 0.0f : 1.5f;
    config.dynatemp_range = dice.below(4) == 0 ? 0.5f : 0.0f;
    const std::vector<int32_t> counts = {0, 1, 2, 40, 128, 129, 500};
    config.top_k = counts[dice.below(counts.size())];
    config.top_p = dice.coin() ? 0.9f : 1.0f;
    config.min_p = dice.coin() ? 0.05f : 0.0f;
    config.typical_p = dice.coin() ? 0.9f : 1.0f;
    config.top_n_sigma = dice.coin() ? 1.0f : -1.0f;
    config.xtc_probability = dice.below(3) == 0 ? 0.5f : 0.0f;
    config.min_keep = static_cast<int32_t>(dice.below(4));
    if (dice.below(3) == 0) {
        config.penalty_last_n = 16;
        config.repeat_penalty = 1.3f;
    }
    if (dice.below(3) == 0) {
        for (std::size_t i = 1 + dice.below(4); i > 0; --i)
            config.logit_bias.push_back(
                {static_cast<llama_token>(dice.below(static_cast<std::size_t>(vocab.size()))),
                 dice.coin() ? -INFINITY : 2.0f});
    }
    return config;
}

R1_TEST("sampler: a short cut chooses what the whole chain would, whatever the options are") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    const auto size = static_cast<std::size_t>(vocab.size());
    test::Dice dice(21);
    for (int round = 0; round < 1500; ++round) {
        const SamplingConfig config = random_chain(vocab, dice);
        SamplingConfig whole = config;
        whole.logit_bias.insert(whole.logit_bias.begin(), {0, 0.0f});
        Sampler fast(vocab, config, nullptr, false, 1024);
        Sampler slow(vocab, whole, nullptr, false, 1024);
        for (int draw = 0; draw < 6; ++draw) {
            std::vector<float> logits = random_logits(size, dice.below(6), dice);
            if (dice.below(6) == 0)
                logits[dice.below(size)] = std::numeric_limits<float>::infinity();
            if (dice.below(6) == 0)
                logits[dice.below(size)] = -std::numeric_limits<float>::infinity();
            CHECK_EQUAL(*fast.sample(logits.data(), false, LLAMA_TOKEN_NULL),
                        *slow.sample(logits.data(), false, LLAMA_TOKEN_NULL));
        }
    }
}

R1_TEST("sampler: logits that are no numbers do not crash the prefilter") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    SamplingConfig config = test::chain({"top_k", "temperature"});
    config.top_k = 3;
    config.temperature = 1;
    Sampler sampler(vocab, config, nullptr, false, 1024);
    test::Dice dice(9);
    for (int round = 0; round < 200; ++round) {
        std::vector<float> logits = random_logits(static_cast<std::size_t>(vocab.size()), 0, dice);
        for (std::size_t i = dice.below(40); i > 0; --i)
            logits[dice.below(logits.size())] = std::nanf("");
        CHECK(vocab.contains(*sampler.sample(logits.data(), false, LLAMA_TOKEN_NULL)));
    }
}

R1_TEST("sampler: temperature 0 takes the most likely token, and one seed gives one sequence") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    test::Dice dice(10);
    Sampler greedy(vocab, test::greedy(), nullptr, false, 1024);
    SamplingConfig config = test::chain({"temperature"});
    config.temperature = 1;
    config.seed = 5;
    Sampler first(vocab, config, nullptr, false, 1024);
    Sampler second(vocab, config, nullptr, false, 1024);
    config.seed = 6;
    Sampler other(vocab, config, nullptr, false, 1024);
    int differing = 0;
    for (int round = 0; round < 100; ++round) {
        const std::vector<float> logits =
            random_logits(static_cast<std::size_t>(vocab.size()), 0, dice);
        const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
        CHECK_EQUAL(*greedy.sample(logits.data(), false, LLAMA_TOKEN_NULL),
                    static_cast<llama_token>(best));
        const llama_token token = *first.sample(logits.data(), false, LLAMA_TOKEN_NULL);
        CHECK_EQUAL(token, *second.sample(logits.data(), false, LLAMA_TOKEN_NULL));
        differing += token == *other.sample(logits.data(), false, LLAMA_TOKEN_NULL) ? 0 : 1;
    }
    CHECK(differing > 50);
}

R1_TEST("sampler: no end token comes when ends are ignored, even where nothing else is likely") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    Sampler sampler(vocab, test::greedy(), nullptr, true, 1024);
    std::vector<float> logits(static_cast<std::size_t>(vocab.size()), 0.0f);
    for (llama_token id = 0; id < vocab.size(); ++id) {
        if (vocab.is_end_of_generation(id)) logits[static_cast<std::size_t>(id)] = 50;
    }
    CHECK(!vocab.is_end_of_generation(*sampler.sample(logits.data(), false, LLAMA_TOKEN_NULL)));
}

R1_TEST("sampler: what llama.cpp would abort on is refused") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    const auto refused = [&](const std::function<void(SamplingConfig &)> & spoil) {
        SamplingConfig config = test::chain({"penalties", "top_k", "temperature"});
        spoil(config);
        CHECK_FAILS(Sampler(vocab, config, nullptr, false, 1024), ErrorCode::InvalidArgument);
    };
    refused([](SamplingConfig & c) { c.repeat_penalty = 0; });
    refused([](SamplingConfig & c) { c.repeat_penalty = std::nanf(""); });
    refused(
        [](SamplingConfig & c) { c.frequency_penalty = std::numeric_limits<float>::infinity(); });
    refused([](SamplingConfig & c) { c.temperature = std::nanf(""); });
    refused([](SamplingConfig & c) { c.top_k = -1; });
    refused([](SamplingConfig & c) { c.mirostat = 3; });
    refused([&](SamplingConfig & c) { c.logit_bias = {{vocab.size(), 1.0f}}; });
    refused([](SamplingConfig & c) { c.logit_bias = {{-1, 1.0f}}; });
    refused([](SamplingConfig & c) { c.samplers = {"top_q"}; });
}

R1_TEST(
    "sampler: a grammar lets through only what it allows, the exempt token beside it, and an end "
    "when it is complete") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    test::Dice dice(11);
    const llama_token think = vocab.tokenize_special("<think>").at(0);
    for (int round = 0; round < 100; ++round) {
        Sampler sampler(vocab, test::greedy(), Grammar::compile(vocab, "root ::= [0-9]+ \"!\""),
                        false, 1024);
        std::vector<float> logits = random_logits(static_cast<std::size_t>(vocab.size()), 0, dice);
        logits[static_cast<std::size_t>(think)] = 40;
        CHECK_EQUAL(*sampler.sample(logits.data(), true, think), think);
        logits[static_cast<std::size_t>(think)] = -40;
        std::string text;
        for (int step = 0; step < 200; ++step) {
            const llama_token token = *sampler.sample(logits.data(), true, LLAMA_TOKEN_NULL);
            if (vocab.is_end_of_generation(token)) break;
            text += vocab.piece(token);
            logits = random_logits(static_cast<std::size_t>(vocab.size()), 0, dice);
            if (step > 5) logits[static_cast<std::size_t>(vocab.tokenize_safe("!").at(0))] = 40;
        }
        CHECK(text.size() >= 2);
        CHECK_EQUAL(text.find_first_not_of("0123456789"), text.size() - 1);
        CHECK_EQUAL(text.back(), '!');
    }
}

R1_TEST(
    "sampler: a grammar allows the request's own stop tokens only where it is complete, and says "
    "when other options leave nothing") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    const llama_token user = vocab.tokenize_special("<｜User｜>").at(0);
    std::vector<float> logits(static_cast<std::size_t>(vocab.size()), 0.0f);
    logits[static_cast<std::size_t>(user)] = 50;
    Sampler sampler(vocab, test::greedy(),
                    Grammar::compile(vocab, "root ::= \"\\\"\" [^\"]{3} \"\\\"\""), false, 1024,
                    {user});
    std::string text;
    llama_token token = LLAMA_TOKEN_NULL;
    while (text.size() < 100 &&
           (token = *sampler.sample(logits.data(), true, LLAMA_TOKEN_NULL)) != user)
        text += vocab.piece(token);
    CHECK(text.size() >= 5);
    CHECK_EQUAL(text.front(), '"');
    CHECK_EQUAL(text.back(), '"');

    SamplingConfig config = test::greedy();
    config.logit_bias = {{vocab.tokenize_safe("a").at(0), -INFINITY}};
    Sampler stuck(vocab, config, Grammar::compile(vocab, "root ::= \"a\""), false, 1024);
    CHECK_FAILS(stuck.sample(logits.data(), true, LLAMA_TOKEN_NULL), ErrorCode::DecodeFailed);
}

R1_TEST("sampler: log probabilities are those of the softmax, most likely first") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const auto size = static_cast<std::size_t>(model->vocab().size());
    test::Dice dice(12);
    const std::vector<float> logits = random_logits(size, 1, dice);
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    const TokenLogprobs found = logprobs_of(logits.data(), static_cast<int32_t>(size), 3, 20);
    CHECK(std::abs(found.own - (static_cast<double>(logits[3]) - std::log(sum))) < 1e-4);
    CHECK_EQUAL(found.top.size(), std::size_t{20});
    for (std::size_t i = 1; i < found.top.size(); ++i)
        CHECK(found.top[i - 1].logprob >= found.top[i].logprob);
}

}  // namespace

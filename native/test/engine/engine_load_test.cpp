// Claims about many requests at once: every one is over once, alone or in company the answer is the
// same, whatever is cancelled, timed out or sent back to wait.
#include <algorithm>
#include <cstdio>
#include <thread>

#include "core/engine/engine.h"
#include "test/harness.h"
#include "test/tiny_model.h"

namespace {

using namespace r1;
using namespace r1::test;

struct Case {
    std::vector<llama_token> prompt;
    int32_t max_tokens;
    bool ignore_eos;
};

std::vector<Case> random_cases(std::size_t count, uint32_t seed, std::size_t filler) {
    Dice dice(seed);
    std::vector<Case> cases;
    for (std::size_t i = 0; i < count; ++i) {
        cases.push_back({question(*tiny_model(), random_question(dice, filler)),
                         static_cast<int32_t>(5 + dice.below(120)), dice.below(4) == 0});
    }
    return cases;
}

std::shared_ptr<Request> request_of(uint32_t id, const Case & one) {
    auto made = request(id, one.prompt, one.max_tokens);
    made->ignore_eos = one.ignore_eos;
    made->logprobs = 4;
    return made;
}

// What each gives on an engine of one sequence, with nothing kept from the others.
std::vector<Answer> alone(const std::vector<Case> & cases, EngineConfig config,
                          const std::shared_ptr<Model> & model) {
    config.sequences = 1;
    config.prefix_cache = false;
    config.context_size = 2048;
    Harness harness(config, model);
    std::vector<Answer> all;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        all.push_back(harness.ask(request_of(static_cast<uint32_t>(i + 1), cases[i])));
    }
    return all;
}

struct Agreement {
    std::size_t equal = 0;
    float widest = 0;  // margin of the choice at which an answer first went another way
};

Agreement compare_with_alone(const std::vector<Case> & cases, const std::vector<Answer> & expected,
                             const EngineConfig & config, const std::shared_ptr<Model> & model) {
    Harness harness(config, model);
    for (std::size_t i = 0; i < cases.size(); ++i)
        harness.submit(request_of(static_cast<uint32_t>(i + 1), cases[i]));
    const auto answers = harness.finish();
    Agreement agreement;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const Answer & answer = answers.at(static_cast<uint32_t>(i + 1));
        CHECK(answer.end.has_value());
        if (answer.tokens == expected[i].tokens) {
            ++agreement.equal;
            continue;
        }
        const auto at = std::mismatch(answer.tokens.begin(), answer.tokens.end(),
                                      expected[i].tokens.begin(), expected[i].tokens.end())
                            .second -
                        expected[i].tokens.begin();
        CHECK(static_cast<std::size_t>(at) < expected[i].margins.size());
        agreement.widest =
            std::max(agreement.widest, expected[i].margins[static_cast<std::size_t>(at)]);
    }
    return agreement;
}

// Attention adds up in the order of the cells, and that depends on who else is in the pool: two
// tokens that are all but equally likely may change places, nothing else may.
void check_agreement(const Agreement & agreement, std::size_t count, const std::string & what) {
    if (agreement.equal < count) {
        std::printf("       %s: %zu of %zu answers equal, widest margin of another choice %.4f\n",
                    what.c_str(), agreement.equal, count, static_cast<double>(agreement.widest));
    }
    CHECK(agreement.widest < 0.05f);
    CHECK(agreement.equal * 10 >= count * 9);
}

EngineConfig sixteen(EngineConfig config, bool unified) {
    config.sequences = 16;
    config.kv_unified = unified;
    config.context_size = unified ? 8192 : 16384;
    return config;
}

R1_TEST(
    "load: 16 sequences, one at a time (deterministic), each with a share of the cache, give "
    "exactly the answers of running alone") {
    const std::vector<Case> cases = random_cases(40, 40, 6);
    for (const char * type : {"f16", "q4_0"}) {
        EngineConfig config = small_engine();
        config.cache_type_k = type;
        config.cache_type_v = type;
        const auto expected = alone(cases, config, tiny_model());
        config = sixteen(config, false);
        config.deterministic = true;
        config.prefix_cache = false;
        CHECK_EQUAL(compare_with_alone(cases, expected, config, tiny_model()).equal, cases.size());
    }
}

R1_TEST(
    "load: 16 sequences side by side, with prefixes kept, give the answers of running alone but "
    "for near ties") {
    const std::vector<Case> cases = random_cases(60, 41, 6);
    for (const char * type : {"f16", "q4_0"}) {
        EngineConfig config = small_engine();
        config.cache_type_k = type;
        config.cache_type_v = type;
        const auto expected = alone(cases, config, precise_model());
        for (const bool unified : {true, false}) {
            const std::string what =
                std::string(type) + (unified ? ", one pool" : ", a share each");
            check_agreement(
                compare_with_alone(cases, expected, sixteen(config, unified), precise_model()),
                cases.size(), what);
        }
    }
}

R1_TEST(
    "load: with weights of 8 bits, which round activations on the way, at least nine answers in "
    "ten are those of running alone") {
    const std::vector<Case> cases = random_cases(60, 41, 6);
    const EngineConfig config = small_engine();
    const auto expected = alone(cases, config, tiny_model());
    for (const bool unified : {true, false}) {
        const Agreement agreement =
            compare_with_alone(cases, expected, sixteen(config, unified), tiny_model());
        std::printf("       %s: %zu of %zu answers equal\n", unified ? "one pool" : "a share each",
                    agreement.equal, cases.size());
        CHECK(agreement.equal * 10 >= cases.size() * 9);
    }
}

R1_TEST(
    "load: a cache too small for all sends runs back to wait, and each still ends as it would "
    "alone but for near ties") {
    const std::vector<Case> cases = random_cases(40, 42, 4);
    const auto expected = alone(cases, small_engine(), precise_model());
    for (const uint32_t context : {256u, 512u, 768u}) {
        EngineConfig config = small_engine();
        config.sequences = 8;
        config.context_size = context;
        config.ubatch_size = 64;
        check_agreement(compare_with_alone(cases, expected, config, precise_model()), cases.size(),
                        std::to_string(context) + " cells for 8 sequences");
    }
}

R1_TEST(
    "load: a run that was sent back to wait and is taken up again draws the same random numbers") {
    std::vector<Case> cases = random_cases(12, 43, 2);
    for (Case & one : cases) {
        one.max_tokens = 150;
        one.ignore_eos = true;
    }
    const auto ask = [&](const EngineConfig & config) {
        Harness harness(config);
        for (std::size_t i = 0; i < cases.size(); ++i) {
            auto made = request_of(static_cast<uint32_t>(i + 1), cases[i]);
            // So hot that every token is as likely: the choice is the random number's alone,
            // whatever the logits' last bits.
            made->sampling = chain({"temperature"});
            made->sampling.temperature = 1e6f;
            made->sampling.seed = static_cast<uint32_t>(i);
            harness.submit(made);
        }
        return harness.finish();
    };
    EngineConfig config = small_engine();
    config.prefix_cache = false;
    const auto expected = ask(config);
    config.sequences = 6;
    config.context_size = 512;
    const auto found = ask(config);
    for (const auto & [id, answer] : expected) {
        CHECK_EQUAL(answer.tokens.size(), std::size_t{150});
        CHECK(found.at(id).tokens == answer.tokens);
        CHECK_EQUAL(found.at(id).text, answer.text);
    }
}

R1_TEST(
    "load: 2,000 requests with cancels, timeouts, stops and shared prefixes: each is over once, "
    "and the engine is as good as new") {
    EngineConfig config = small_engine();
    config.sequences = 16;
    config.context_size = 1536;
    config.ubatch_size = 128;
    config.max_draft = 4;
    config.step_costs = free_rows;
    Harness harness(config);
    const Answer before = harness.ask(request(1, question(*tiny_model(), "What is 5+6?"), 200));
    Dice dice(44);
    std::size_t cancelled = 0;
    for (uint32_t id = 10; id < 2010; ++id) {
        auto made = request(id, question(*tiny_model(), random_question(dice, 5)),
                            static_cast<int32_t>(1 + dice.below(30)));
        made->priority = static_cast<int32_t>(dice.below(3));
        made->cache_prompt = dice.below(5) != 0;
        made->ignore_eos = dice.below(8) == 0;
        made->ngram_draft = dice.below(4) == 0 ? 4 : 0;
        if (dice.below(10) == 0) made->timeout_ms = 1 + static_cast<double>(dice.below(300));
        if (dice.below(6) == 0) made->stop = {"so", "think>"};
        if (dice.below(5) == 0) made->logprobs = static_cast<int32_t>(dice.below(5));
        if (dice.below(30) == 0)
            made->grammar = Grammar::compile(tiny_model()->vocab(), "root ::= [a-z ]+");
        if (dice.below(60) == 0) made->sampling.samplers = {"no such sampler"};
        harness.submit(made);
        if (dice.below(7) == 0) {
            harness.engine().cancel(id - static_cast<uint32_t>(dice.below(10)));
            ++cancelled;
        }
        if (dice.below(50) == 0)
            std::this_thread::sleep_for(std::chrono::milliseconds(dice.below(20)));
    }
    const auto answers = harness.finish();
    CHECK_EQUAL(answers.size(), std::size_t{2000});
    std::map<std::string, int> ends;
    for (const auto & [id, answer] : answers) {
        const char * const names[] = {"stop",    "length",  "stop-string",
                                      "aborted", "timeout", "loop"};
        ++ends[answer.end ? names[static_cast<std::size_t>(answer.end->reason)] : answer.error];
    }
    std::printf("      ");
    for (const auto & [name, count] : ends) std::printf(" %s %d", name.c_str(), count);
    std::printf("\n");
    CHECK(ends["aborted"] > 0 && ends["stop"] > 0 && ends["length"] > 0 &&
          ends["INVALID_ARGUMENT"] > 0);
    CHECK_EQUAL(ends.count("INTERNAL") + ends.count("DECODE_FAILED"), std::size_t{0});
    const Answer after = harness.ask(request(3000, question(*tiny_model(), "What is 5+6?"), 200));
    CHECK(after.tokens == before.tokens);
    CHECK_EQUAL(harness.engine().stats().running, 0u);
}

}  // namespace

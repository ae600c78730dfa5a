// Claims about scarce resources: cells, rows of a batch, the steps of others. Nothing aborts,
// nothing starves, nobody is ended for another's sake.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>

#include "core/engine/engine.h"
#include "core/failure.h"
#include "core/speculation/draft_model.h"
#include "test/harness.h"
#include "test/tiny_model.h"

namespace {

using namespace r1;
using namespace r1::test;

bool never(void *) { return false; }

/** A prompt of so many tokens in a short cycle, so that n-grams find a guess at once. */
std::vector<llama_token> cycle(std::size_t tokens) {
    std::vector<llama_token> prompt = question(*tiny_model(), "What is 1+1?");
    while (prompt.size() < tokens)
        prompt.push_back(static_cast<llama_token>(40 + prompt.size() % 5));
    return prompt;
}

/** Endless, and always the same token again: every guess holds. */
std::shared_ptr<Request> echo(uint32_t id, std::vector<llama_token> prompt, int32_t max_tokens) {
    auto made = request(id, std::move(prompt), max_tokens);
    made->sampling.logit_bias = {{50, 1000.0f}};
    made->ignore_eos = true;
    return made;
}

R1_TEST(
    "pressure: guesses of all sequences at once fit the batch that llama.cpp clamps to a small "
    "context") {
    EngineConfig config = small_engine();
    config.context_size = 256;
    config.sequences = 16;
    config.kv_unified = false;
    config.max_draft = 31;
    config.step_costs = free_rows;
    Harness harness(config);
    for (uint32_t id = 1; id <= 16; ++id) {
        auto made = echo(id, cycle(40), 120);
        made->ngram_draft = 31;
        harness.submit(made);
    }
    for (const auto & [id, answer] : harness.finish()) {
        CHECK(answer.end.has_value() && answer.end->reason == EndReason::Length);
        CHECK_EQUAL(answer.tokens.size(), std::size_t{120});
        CHECK(answer.end->accepted_tokens > 50);
    }
}

R1_TEST(
    "pressure: many runs of one prompt in a pool with hardly a cell to spare all end, the last of "
    "them with all its tokens") {
    Dice dice(60);
    for (uint32_t round = 0; round < 20; ++round) {
        EngineConfig config = small_engine();
        config.context_size = 256;
        config.sequences = 2 + static_cast<uint32_t>(dice.below(4));
        config.max_draft = static_cast<uint32_t>(dice.below(6));
        config.step_costs = free_rows;
        config.ubatch_size = 32;
        Harness harness(config);
        const std::size_t length = 200 + dice.below(50);
        const std::size_t wanted = 3 + dice.below(254 - length);
        // A short one first, so that later runs take sequences out of order.
        harness.submit(echo(1, cycle(20), 1 + static_cast<int32_t>(dice.below(4))));
        for (uint32_t id = 2; id <= 8; ++id) {
            auto made = request(id, cycle(length), static_cast<int32_t>(wanted));
            made->ignore_eos = true;
            made->sampling = chain({"temperature"});
            made->sampling.temperature = dice.coin() ? 0.0f : 1.5f;
            made->sampling.seed = id;
            made->ngram_draft = static_cast<int32_t>(config.max_draft);
            harness.submit(made);
        }
        for (const auto & [id, answer] : harness.finish()) {
            CHECK(answer.end.has_value() && answer.end->reason == EndReason::Length);
            // Each fits the pool alone, so each gets all it asked for, however often it was sent
            // back to wait.
            if (id > 1) CHECK_EQUAL(answer.tokens.size(), wanted);
        }
    }
}

R1_TEST("pressure: streams that fill a step's chunk do not keep a new prompt from being taken in") {
    EngineConfig config = small_engine();
    config.sequences = 6;
    config.ubatch_size = 4;
    config.batch_size = 64;
    Harness harness(config);
    for (uint32_t id = 1; id <= 5; ++id) {
        harness.submit(echo(id, cycle(20), -1));
        harness.wait_for_tokens(id, 1);
    }
    harness.submit(echo(6, cycle(60), 3));
    harness.wait_for_tokens(6, 3);
    for (uint32_t id = 1; id <= 5; ++id) harness.engine().cancel(id);
    const auto answers = harness.finish();
    CHECK_EQUAL(answers.at(6).tokens.size(), std::size_t{3});
    for (uint32_t id = 1; id <= 5; ++id) CHECK(answers.at(id).end->reason == EndReason::Aborted);
}

R1_TEST(
    "pressure: however often others are cancelled in the middle of a decode, a running stream "
    "comes to its end") {
    EngineConfig config = small_engine();
    config.sequences = 2;
    config.context_size = 8192;
    config.prefix_cache = false;
    Harness harness(config);
    std::atomic<bool> over{false};
    harness.submit(echo(1, cycle(20), 16));
    harness.wait_for_tokens(1, 1);
    uint32_t id = 10;
    while (true) {
        auto made = request(++id, cycle(500), 5);
        harness.submit(made);
        while (!made->in_batch.load() && !over.load()) {
            std::this_thread::yield();
            over = harness.is_over(1);
        }
        harness.engine().cancel(id);
        if (over.load()) break;
        CHECK(id < 5000);
    }
    const auto answers = harness.finish();
    CHECK_EQUAL(answers.at(1).tokens.size(), std::size_t{16});
}

R1_TEST(
    "pressure: a draft model takes a long prompt in by chunks, so that no step waits for all of "
    "it") {
    EngineConfig config = small_engine();
    config.sequences = 3;
    config.ubatch_size = 64;
    DraftModel draft(tiny_model(), config, std::make_shared<ThreadPools>(1, 1, "normal", 0u), never,
                     nullptr);
    const std::vector<llama_token> long_one = cycle(1000);
    const std::vector<llama_token> short_one = question(*tiny_model(), "What is 1+1?");
    const std::size_t chunk = 64;
    std::size_t rounds = 0;
    for (bool guessed = false; !guessed; ++rounds) {
        std::vector<DraftModel::Job> jobs = {{0, 1, &long_one, 4, {}}, {1, 2, &short_one, 4, {}}};
        const std::size_t before = draft.length(0);
        draft.propose(jobs);
        CHECK(draft.length(0) <= before + chunk);
        CHECK(rounds < 40);
        // The short one is not kept waiting by the long one.
        for (const DraftModel::Job & job : jobs) {
            if (job.sequence == 1) CHECK(!job.guesses.empty());
            if (job.sequence == 0) guessed = true;
        }
    }
    CHECK(rounds >= 1000 / chunk);
}

R1_TEST("pressure: a saved state comes back beside running streams by taking idle cells alone") {
    EngineConfig config = small_engine();
    config.sequences = 4;
    config.context_size = 512;
    Harness harness(config);
    const std::vector<llama_token> prompt = cycle(100);
    const Answer answer = harness.ask(echo(1, prompt, 20));
    std::vector<llama_token> held = prompt;
    held.insert(held.end(), answer.tokens.begin(), answer.tokens.end() - 1);
    const std::vector<uint8_t> state = harness.save(held);
    auto other = cycle(300);
    other[5] = 60;
    harness.submit(echo(2, other, 150));
    harness.wait_for_tokens(2, 100);
    // 400 and more cells run, so 119 do not fit beside them: the stream is not sent back to wait
    // for that.
    const uint64_t before = harness.engine().stats().prompt_tokens;
    CHECK_FAILS(harness.restore(state, 1), ErrorCode::ContextFull);
    CHECK_EQUAL(harness.finish().at(2).tokens.size(), std::size_t{150});
    CHECK_EQUAL(harness.engine().stats().prompt_tokens, before);
    harness.restore(state, 1);
}

R1_TEST("pressure: a state asked for while the engine closes is told DISPOSED") {
    for (int round = 0; round < 20; ++round) {
        Harness harness(small_engine());
        harness.submit(echo(1, cycle(1500), 500));
        auto held = harness.engine().hold_cells(cycle(30), 0);
        harness.stop();
        try {
            held.get();
            CHECK(false);
        } catch (const Failure & failure) {
            CHECK(failure.code() == ErrorCode::Disposed ||
                  failure.code() == ErrorCode::StateInvalid);
        }
        CHECK_FAILS(harness.engine().hold_cells(cycle(30), 0), ErrorCode::Disposed);
        CHECK_FAILS(harness.save(cycle(30)), ErrorCode::Disposed);
    }
}

R1_TEST(
    "pressure: when cells run out the least important run waits, and among equals the youngest") {
    EngineConfig config = small_engine();
    config.sequences = 2;
    config.context_size = 256;
    config.prefix_cache = false;
    Harness harness(config);
    harness.submit(echo(1, cycle(100), 60));
    harness.wait_for_tokens(1, 1);
    auto important = echo(2, cycle(110), 100);
    important->priority = 1;
    harness.submit(important);
    const auto answers = harness.finish();
    CHECK(answers.at(2).ended < answers.at(1).ended);
    CHECK_EQUAL(answers.at(1).tokens.size(), std::size_t{60});
    CHECK_EQUAL(answers.at(2).tokens.size(), std::size_t{100});
}

R1_TEST("pressure: ids of tags outside the vocabulary are refused") {
    Harness harness(small_engine());
    auto made = request(1, cycle(20), 5);
    made->think_token = 1 << 20;
    CHECK_FAILS(harness.engine().submit(made), ErrorCode::InvalidArgument);
    made->think_token = LLAMA_TOKEN_NULL;
    made->end_think_token = -7;
    CHECK_FAILS(harness.engine().submit(made), ErrorCode::InvalidArgument);
}

}  // namespace

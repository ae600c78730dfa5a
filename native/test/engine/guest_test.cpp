// Claims about guests: requests beside the conversations take none of their cells.
#include <algorithm>

#include "core/engine/engine.h"
#include "test/harness.h"
#include "test/tiny_model.h"

namespace {

using namespace r1;
using namespace r1::test;

EngineConfig with_guests(uint32_t sequences, uint32_t cells) {
    EngineConfig config = small_engine();
    config.sequences = sequences + 1;
    config.guest_sequence = true;
    config.kv_unified = true;
    config.context_size = cells;
    return config;
}

/** A prompt of so many tokens; no two kinds share more than its beginning. */
std::vector<llama_token> prompt_of(std::size_t tokens, int kind) {
    std::vector<llama_token> prompt = question(*tiny_model(), "What is 1+1?");
    while (prompt.size() < tokens)
        prompt.push_back(
            static_cast<llama_token>(40 + (prompt.size() * 7 + kind * 31 + kind) % 200));
    return prompt;
}

std::shared_ptr<Request> turn(uint32_t id, std::vector<llama_token> prompt, int32_t max_tokens) {
    auto made = request(id, std::move(prompt), max_tokens);
    made->ignore_eos = true;
    return made;
}

std::shared_ptr<Request> guest(uint32_t id, std::vector<llama_token> prompt, int32_t max_tokens) {
    auto made = turn(id, std::move(prompt), max_tokens);
    made->guest = true;
    made->priority = -100;
    return made;
}

R1_TEST("guest: after ten guests each conversation finds all its cells again, in a full engine") {
    for (const uint32_t sequences : {1u, 3u}) {
        Harness harness(with_guests(sequences, 2048));
        CHECK_EQUAL(harness.engine().info().sequences, sequences);
        uint32_t id = 1;
        for (uint32_t i = 0; i < sequences; ++i) {
            harness.submit(turn(id, prompt_of(200, static_cast<int>(i)), 4));
            harness.wait_for_tokens(id++, 1u << 30);
        }
        for (int i = 0; i < 10; ++i) {
            harness.submit(guest(id, prompt_of(150, 10 + i), 8));
            harness.wait_for_tokens(id++, 1u << 30);
        }
        const uint32_t first_again = id;
        for (uint32_t i = 0; i < sequences; ++i) {
            harness.submit(turn(id, prompt_of(200, static_cast<int>(i)), 4));
            harness.wait_for_tokens(id++, 1u << 30);
        }
        const auto answers = harness.finish();
        for (const auto & [which, answer] : answers) {
            CHECK(answer.end.has_value() && answer.end->reason == EndReason::Length);
            if (which >= first_again) CHECK_EQUAL(answer.end->cached_tokens, 199);
        }
    }
}

R1_TEST("guest: without free cells it ends with an error, and the conversation keeps its own") {
    Harness harness(with_guests(1, 256));
    harness.submit(turn(1, prompt_of(200, 1), 4));
    harness.wait_for_tokens(1, 1u << 30);
    harness.submit(guest(2, prompt_of(150, 2), 8));
    harness.wait_for_tokens(2, 1u << 30);
    harness.submit(turn(3, prompt_of(200, 1), 4));
    const auto answers = harness.finish();
    CHECK_EQUAL(answers.at(2).error, std::string("CONTEXT_FULL"));
    CHECK_EQUAL(answers.at(3).end->cached_tokens, 199);
}

R1_TEST("guest: a conversation that needs its cells gets them, and the guest ends all the same") {
    Harness harness(with_guests(2, 512));
    harness.submit(turn(1, prompt_of(150, 1), 4));
    harness.wait_for_tokens(1, 1u << 30);
    harness.submit(guest(2, prompt_of(100, 2), 200));
    harness.wait_for_tokens(2, 1);
    harness.submit(turn(3, prompt_of(260, 3), 4));
    harness.wait_for_tokens(3, 1u << 30);
    harness.submit(turn(4, prompt_of(150, 1), 4));
    const auto answers = harness.finish();
    CHECK_EQUAL(answers.at(3).tokens.size(), std::size_t{4});
    CHECK(answers.at(2).end.has_value() || !answers.at(2).error.empty());
    CHECK_EQUAL(answers.at(4).end->cached_tokens, 149);
}

R1_TEST("guest: once there was one, finished conversations leave an eighth of the cells free") {
    Harness harness(with_guests(3, 512));
    uint32_t id = 1;
    harness.submit(guest(id, prompt_of(40, 9), 2));
    harness.wait_for_tokens(id++, 1u << 30);
    for (int i = 0; i < 6; ++i) {
        harness.submit(turn(id, prompt_of(180, i), 4));
        harness.wait_for_tokens(id++, 1u << 30);
    }
    harness.submit(guest(id, prompt_of(50, 8), 4));
    const auto answers = harness.finish();
    CHECK(answers.at(id).end.has_value());
}

R1_TEST("guest: in an engine without their sequence guests run, and leave no cells behind") {
    EngineConfig config = small_engine();
    config.sequences = 2;
    Harness harness(config);
    harness.submit(turn(1, prompt_of(100, 1), 4));
    harness.wait_for_tokens(1, 1u << 30);
    for (uint32_t id = 2; id <= 5; ++id) {
        harness.submit(guest(id, prompt_of(100, static_cast<int>(id)), 4));
        harness.wait_for_tokens(id, 1u << 30);
    }
    harness.submit(turn(6, prompt_of(100, 1), 4));
    const auto answers = harness.finish();
    CHECK_EQUAL(answers.at(6).end->cached_tokens, 99);
}

}  // namespace

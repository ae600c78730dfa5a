// Claims about Engine and single requests: what is refused, how requests end, how quickly, and what
// a stop does at any moment.
#include "core/engine/engine.h"

#include <algorithm>
#include <cstdio>
#include <future>
#include <thread>

#include "core/failure.h"
#include "test/harness.h"
#include "test/tiny_model.h"

namespace {

using namespace r1;
using namespace r1::test;

std::vector<llama_token> sum(int a, int b) {
    return question(*tiny_model(), "What is " + std::to_string(a) + "+" + std::to_string(b) + "?");
}

std::vector<llama_token> long_prompt(std::size_t tokens) {
    std::vector<llama_token> prompt = question(*tiny_model(), "What is 1+1?");
    Dice dice(20);
    while (prompt.size() < tokens)
        prompt.insert(prompt.begin() + 3, static_cast<llama_token>(20 + dice.below(200)));
    return prompt;
}

R1_TEST("engine: a question is answered, and its end told with counts that fit") {
    Harness harness(small_engine());
    const Answer answer = harness.ask(request(1, sum(1, 1), 200));
    CHECK(answer.end.has_value());
    CHECK(answer.end->reason == EndReason::Stop);
    CHECK(answer.text.find("</think>") != std::string::npos);
    CHECK(answer.text.find('2') != std::string::npos);
    CHECK(tiny_model()->vocab().is_end_of_generation(answer.tokens.back()));
    CHECK_EQUAL(static_cast<std::size_t>(answer.end->prompt_tokens), sum(1, 1).size());
    CHECK(answer.end->first_token_ms > 0);
}

R1_TEST(
    "engine: a start that is called off says so and keeps nothing; once it is there the flag has "
    "no say") {
    const std::shared_ptr<Model> model = tiny_model();
    const long holders = model.use_count();
    EngineConfig config = small_engine();
    config.warmup = true;
    std::atomic<bool> cancelled{true};
    const auto drop = [](std::vector<Event> &&) {};
    CHECK_FAILS(Engine(model, nullptr, config, drop, &cancelled), ErrorCode::Aborted);
    CHECK_FAILS(Engine(model, model, config, drop, &cancelled), ErrorCode::Aborted);
    CHECK_EQUAL(model.use_count(), holders);
    cancelled.store(false);
    std::promise<bool> ended;
    const auto tell = [&ended](std::vector<Event> && events) {
        for (const Event & event : events) {
            if (!std::holds_alternative<TokenEvent>(event))
                ended.set_value(std::holds_alternative<EndEvent>(event));
        }
    };
    Engine engine(model, nullptr, config, tell, &cancelled);
    cancelled.store(true);
    engine.submit(request(1, sum(1, 1), 5));
    CHECK(ended.get_future().get());
}

R1_TEST("engine: what libllama would abort on is refused at submit") {
    EngineConfig config = small_engine();
    config.context_size = 256;
    config.max_queue = 2;
    Harness harness(config);
    Engine & engine = harness.engine();
    CHECK_FAILS(engine.submit(request(1, {}, 5)), ErrorCode::InvalidArgument);
    CHECK_FAILS(engine.submit(request(1, {-1}, 5)), ErrorCode::InvalidArgument);
    CHECK_FAILS(engine.submit(request(1, {tiny_model()->vocab().size()}, 5)),
                ErrorCode::InvalidArgument);
    CHECK_FAILS(engine.submit(request(1, std::vector<llama_token>(257, 30), 5)),
                ErrorCode::PromptTooLong);
    auto closing = request(1, sum(1, 1), 5);
    closing->closing = {1 << 20};
    CHECK_FAILS(engine.submit(closing), ErrorCode::InvalidArgument);
    // One runs and two wait; the next is one too many. An id that is under way is refused, too.
    for (uint32_t id = 1; id <= 3; ++id) {
        auto busy = request(id, sum(2, 2), -1);
        busy->ignore_eos = true;
        harness.submit(busy);
        if (id == 1)
            CHECK_FAILS(engine.submit(request(1, sum(1, 1), 5)), ErrorCode::InvalidArgument);
    }
    CHECK_FAILS(engine.submit(request(9, sum(1, 1), 5)), ErrorCode::QueueFull);
    for (uint32_t id = 1; id <= 3; ++id) engine.cancel(id);
    engine.cancel(12345);
    harness.finish();
    harness.stop();
    CHECK_FAILS(engine.submit(request(10, sum(1, 1), 5)), ErrorCode::Disposed);
}

R1_TEST(
    "engine: a bad sampler value fails its own request and no other, a grammar of another "
    "vocabulary is refused") {
    const std::shared_ptr<Model> vocabulary =
        vocabulary_of(R1_SOURCE_DIR "/vendor/llama.cpp/models/ggml-vocab-qwen2.gguf");
    EngineConfig config = small_engine();
    config.sequences = 3;
    Harness harness(config);
    auto bad = request(1, sum(1, 1), 50);
    bad->sampling.samplers = {"nothing"};
    auto grammar = request(2, sum(1, 1), 50);
    grammar->grammar = Grammar::compile(vocabulary->vocab(), "root ::= [0-9]+");
    harness.submit(bad);
    CHECK_FAILS(harness.engine().submit(grammar), ErrorCode::InvalidArgument);
    harness.submit(request(3, sum(1, 1), 100));
    const auto answers = harness.finish();
    CHECK_EQUAL(answers.at(1).error, std::string("INVALID_ARGUMENT"));
    CHECK(answers.at(3).end.has_value() && answers.at(3).end->reason == EndReason::Stop);
}

R1_TEST(
    "engine: requests end by length, stop string, stop token, full context, time and loop, each "
    "told as such") {
    EngineConfig config = small_engine();
    config.context_size = 512;
    Harness harness(config);
    CHECK(harness.ask(request(1, sum(3, 4), 7)).end->reason == EndReason::Length);
    auto stop = request(2, sum(3, 4), 200);
    stop->stop = {"</think>"};
    const Answer stopped = harness.ask(stop);
    CHECK(stopped.end->reason == EndReason::StopString);
    CHECK(stopped.text.find("</th") == std::string::npos);
    auto token = request(3, sum(3, 4), 200);
    token->stop_tokens = {tiny_model()->vocab().tokenize_special("</think>").at(0)};
    CHECK(harness.ask(token).end->reason == EndReason::Stop);
    auto full = request(4, sum(3, 4), -1);
    full->ignore_eos = true;
    const Answer filled = harness.ask(full);
    CHECK(filled.end->reason == EndReason::Length);
    CHECK_EQUAL(filled.tokens.size() + sum(3, 4).size(),
                std::size_t{513});  // the last one is told, not stored
    auto timed = request(5, sum(3, 4), -1);
    timed->ignore_eos = true;
    timed->timeout_ms = 5;
    CHECK(harness.ask(timed).end->reason == EndReason::Timeout);
    auto loop = request(6, std::vector<llama_token>(64, 50), -1);
    loop->sampling.logit_bias = {{50, 100.0f}};
    loop->loop_guard = 40;
    CHECK(harness.ask(loop).end->reason == EndReason::Loop);
}

R1_TEST("engine: a prompt that fills the context to the last cell still yields one token") {
    EngineConfig config = small_engine();
    config.context_size = 256;
    config.ubatch_size = 64;
    Harness harness(config);
    const Answer answer = harness.ask(request(1, long_prompt(256), 50));
    CHECK_EQUAL(answer.tokens.size(), std::size_t{1});
    const Answer next = harness.ask(request(2, sum(1, 1), 200));
    CHECK(next.end->reason == EndReason::Stop);
}

R1_TEST("engine: guesses by n-gram change no greedy answer") {
    EngineConfig config = small_engine();
    Harness plain(config);
    config.max_draft = 8;
    config.step_costs = free_rows;
    Harness guessing(config);
    int32_t accepted = 0;
    Dice dice(21);
    for (uint32_t id = 1; id <= 40; ++id) {
        std::string round = "<think>";
        for (uint32_t i = 0; i < id; ++i) round += "so ";
        // Every fourth goes round by itself, so that there is something to guess.
        const std::vector<llama_token> prompt =
            id % 4 == 0 ? tiny_model()->vocab().tokenize_special(round)
                        : question(*tiny_model(), random_question(dice, 3));
        const auto ask = [&](Harness & harness, int32_t guesses) {
            auto made = request(id, prompt, 150);
            made->ignore_eos = id % 4 == 0;
            made->ngram_draft = guesses;
            return harness.ask(made);
        };
        const Answer expected = ask(plain, 0);
        const Answer found = ask(guessing, 8);
        CHECK(found.tokens == expected.tokens);
        CHECK_EQUAL(found.text, expected.text);
        accepted += found.end->accepted_tokens;
    }
    CHECK(accepted > 0);
}

R1_TEST(
    "engine: a cancelled long prompt ends soon, and the next request answers as on a fresh "
    "engine") {
    EngineConfig config = small_engine();
    config.context_size = 8192;
    Harness harness(config);
    const Answer fresh = harness.ask(request(1, sum(7, 8), 200));
    std::vector<double> latencies;
    Dice dice(22);
    for (uint32_t round = 0; round < 20; ++round) {
        const uint32_t id = 100 + round;
        auto prompt = long_prompt(8000);
        prompt[1] = static_cast<llama_token>(20 + round);  // nothing of it is in the cache
        harness.submit(request(id, prompt, 10));
        std::this_thread::sleep_for(std::chrono::microseconds(500 + dice.below(20000)));
        const auto cancelled = Clock::now();
        harness.engine().cancel(id);
        const Answer answer = harness.finish().at(id);
        CHECK(answer.end->reason == EndReason::Aborted || answer.end->reason == EndReason::Length);
        latencies.push_back(
            std::chrono::duration<double, std::milli>(answer.ended - cancelled).count());
        if (round % 5 == 0)
            CHECK(harness.ask(request(500 + round, sum(7, 8), 200)).tokens == fresh.tokens);
    }
    std::sort(latencies.begin(), latencies.end());
    std::printf(
        "       cancel to end, of a prompt of 8000 tokens: median %.1f ms, longest %.1f ms\n",
        latencies[latencies.size() / 2], latencies.back());
    CHECK(latencies.back() < 5000);
}

R1_TEST("engine: stopped at any moment, every request is over exactly once") {
    Dice dice(23);
    for (uint32_t round = 0; round < 40; ++round) {
        EngineConfig config = small_engine();
        config.sequences = 1 + static_cast<uint32_t>(dice.below(4));
        Harness harness(config);
        for (uint32_t id = 1; id <= 8; ++id) {
            harness.submit(request(
                id, dice.below(3) == 0 ? long_prompt(1500) : sum(static_cast<int>(id), 9), 200));
        }
        std::this_thread::sleep_for(std::chrono::microseconds(dice.below(20000)));
        if (dice.coin()) harness.engine().request_stop();
        if (dice.coin()) {
            std::thread other([&] { harness.stop(); });
            harness.stop();
            other.join();
        } else {
            harness.stop();
        }
        for (const auto & [id, answer] : harness.finish()) {
            CHECK(answer.end.has_value() || answer.error == "DISPOSED");
        }
    }
}

R1_TEST("engine: several threads submit, cancel and ask for statistics at once") {
    EngineConfig config = small_engine();
    config.sequences = 4;
    Harness harness(config);
    std::vector<std::thread> threads;
    for (uint32_t part = 0; part < 3; ++part) {
        threads.emplace_back([&harness, part] {
            Dice dice(30 + part);
            for (uint32_t i = 0; i < 30; ++i) {
                const uint32_t id = 1 + part * 1000 + i;
                harness.submit(request(id, sum(static_cast<int>(dice.below(50)), 3),
                                       static_cast<int32_t>(1 + dice.below(40))));
                if (dice.below(3) == 0)
                    harness.engine().cancel(id - static_cast<uint32_t>(dice.below(2)));
                const EngineStats stats = harness.engine().stats();
                check(stats.running <= 4 && stats.cells_used <= stats.cells_total,
                      "statistics within their bounds");
            }
        });
    }
    for (std::thread & thread : threads) thread.join();
    CHECK_EQUAL(harness.finish().size(), std::size_t{90});
    const EngineStats stats = harness.engine().stats();
    CHECK_EQUAL(stats.requests, uint64_t{90});
    CHECK_EQUAL(stats.waiting, 0u);
}

R1_TEST(
    "engine: a saved sequence, restored into a fresh engine, goes on as the first one did, from "
    "the cache") {
    for (const char * type : {"f16", "q4_0"}) {
        EngineConfig config = small_engine();
        config.cache_type_k = type;
        config.cache_type_v = type;
        config.sequences = 2;
        Harness first(config);
        const std::vector<llama_token> prompt = long_prompt(300);
        const Answer answer = first.ask(request(1, prompt, 60));
        std::vector<llama_token> held = prompt;
        held.insert(held.end(), answer.tokens.begin(), answer.tokens.end() - 1);
        const std::vector<uint8_t> state = first.save(held);
        CHECK(state.size() > 1000);
        std::vector<llama_token> more = held;
        const std::vector<llama_token> turn = question(*tiny_model(), "What is 2+5?");
        more.push_back(answer.tokens.back());
        more.insert(more.end(), turn.begin() + 1, turn.end());
        const auto ask = [&more](uint32_t id) {
            std::shared_ptr<Request> asked = request(id, more, 100);
            asked->session = 7;
            return asked;
        };
        const Answer expected = first.ask(ask(2));

        Harness second(config);
        second.restore(state, 7);
        const Answer found = second.ask(ask(2));
        CHECK(found.tokens == expected.tokens);
        CHECK_EQUAL(static_cast<std::size_t>(found.end->cached_tokens), held.size());
        CHECK_FAILS(second.save({1, 2, 3, 4, 5}), ErrorCode::StateInvalid);
        CHECK_FAILS(second.restore({state.begin(), state.begin() + 200}, 7),
                    ErrorCode::StateInvalid);
        CHECK(second.ask(ask(3)).tokens == expected.tokens);
    }
}

R1_TEST("engine: larger priorities go first, equal ones in order of arrival") {
    Harness harness(small_engine());
    auto first = request(1, sum(1, 1), 300);
    first->ignore_eos = true;
    harness.submit(first);
    harness.wait_for_tokens(1, 1);
    for (uint32_t id = 2; id <= 7; ++id) {
        auto waiting = request(id, sum(static_cast<int>(id), 1), 10);
        waiting->priority = id % 3 == 0 ? 5 : id % 3 == 1 ? 0 : -5;
        harness.submit(waiting);
    }
    const auto answers = harness.finish();
    const std::vector<uint32_t> expected = {3, 6, 4, 7, 2, 5};
    for (std::size_t i = 1; i < expected.size(); ++i)
        CHECK(answers.at(expected[i - 1]).ended <= answers.at(expected[i]).ended);
}

}  // namespace

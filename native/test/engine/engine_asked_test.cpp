// Claims about what a user asks of a request under way: to end its reasoning, and how far its
// prompt is.
#include <algorithm>
#include <cmath>
#include <future>
#include <mutex>

#include "core/engine/engine.h"
#include "test/harness.h"
#include "test/tiny_model.h"

namespace {

using namespace r1;
using namespace r1::test;

R1_TEST("engine: a reasoning is closed when its user asks, queued or running, and only then") {
    EngineConfig config = small_engine();
    config.sequences = 2;
    Harness harness(config);
    const llama_token end_think = tiny_model()->vocab().tokenize_special("</think>").front();
    const auto thinking = [&](uint32_t id) {
        auto made = request(id, question(*tiny_model(), "What is 3+4?"), 60);
        made->starts_in_reasoning = true;
        made->think_token = tiny_model()->vocab().tokenize_special("<think>").front();
        made->end_think_token = end_think;
        made->closing = {tiny_model()->vocab().tokenize_safe("!").front(), end_think};
        made->sampling.logit_bias = {{end_think, -INFINITY}};
        made->ignore_eos = true;
        return made;
    };
    const auto asked = thinking(1);
    asked->end_reasoning = true;
    harness.submit(asked);
    harness.submit(thinking(2));
    const auto late = thinking(3);
    harness.submit(late);
    harness.engine().end_reasoning(3);
    harness.engine().end_reasoning(99);
    const auto answers = harness.finish();
    CHECK(answers.at(1).tokens.at(0) == asked->closing.at(0));
    CHECK(answers.at(1).tokens.at(1) == end_think);
    const auto count = [&](uint32_t id) {
        const std::vector<llama_token> & tokens = answers.at(id).tokens;
        return std::count(tokens.begin(), tokens.end(), end_think);
    };
    CHECK_EQUAL(count(1), 1);
    CHECK_EQUAL(count(2), 0);
    CHECK_EQUAL(count(3), 1);
}

R1_TEST("engine: how far a prompt is comes before its tokens, in order, to who asked for it") {
    EngineConfig config = small_engine();
    config.context_size = 8192;
    config.ubatch_size = 32;
    config.batch_size = 32;
    std::mutex mutex;
    std::vector<ProgressEvent> steps;
    bool has_token = false;
    bool is_late = false;
    std::promise<void> ended;
    Engine engine(tiny_model(), nullptr, config, [&](std::vector<Event> && events) {
        const std::lock_guard<std::mutex> lock(mutex);
        for (const Event & event : events) {
            if (const auto * step = std::get_if<ProgressEvent>(&event)) {
                steps.push_back(*step);
                is_late = is_late || has_token;
            }
            has_token = has_token || std::holds_alternative<TokenEvent>(event);
            if (is_last(event)) ended.set_value();
        }
    });
    std::string text = "What is 1+1?";
    for (int i = 0; i < 120; ++i) text += " Note " + std::to_string(i) + " says nothing.";
    const auto asked = request(5, question(*tiny_model(), text), 3);
    asked->prompt_progress = true;
    engine.submit(asked);
    ended.get_future().wait();
    const std::lock_guard<std::mutex> lock(mutex);
    CHECK(!is_late);
    CHECK(steps.size() >= 2);
    CHECK_EQUAL(steps.front().processed, 0);
    CHECK_EQUAL(steps.back().processed, static_cast<int32_t>(asked->tokens.size()));
    for (std::size_t i = 1; i < steps.size(); ++i) {
        CHECK(steps[i].processed > steps[i - 1].processed);
        CHECK(steps[i].milliseconds >= steps[i - 1].milliseconds);
    }
    CHECK(static_cast<double>(steps.size()) <= 3 + steps.back().milliseconds / 50);
}

}  // namespace

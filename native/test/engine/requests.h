// Requests as the C++ tests make them: sampler chains, prompts in R1's format, complete requests.
// Test process only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/backend/model.h"
#include "core/engine/request.h"
#include "test/check.h"

namespace r1::test {

/** A chain of these samplers, every value at rest. */
inline SamplingConfig chain(std::vector<std::string> samplers) {
    SamplingConfig config;
    config.samplers = std::move(samplers);
    config.temperature = 1;
    return config;
}

/** The most likely token always. */
inline SamplingConfig greedy() {
    SamplingConfig config = chain({"temperature"});
    config.temperature = 0;
    return config;
}

/** BOS and a question in R1's format. */
inline std::vector<llama_token> question(const Model & model, const std::string & text) {
    return model.vocab().tokenize_special(
        "<\xEF\xBD\x9C"
        "begin\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C><\xEF\xBD\x9CUser\xEF\xBD\x9C>" +
        text +
        "<\xEF\xBD\x9C"
        "Assistant\xEF\xBD\x9C>");
}

/** A greedy request. */
inline std::shared_ptr<Request> request(uint32_t id, std::vector<llama_token> tokens,
                                        int32_t max_tokens) {
    auto made = std::make_shared<Request>();
    made->id = id;
    made->tokens = std::move(tokens);
    made->max_tokens = max_tokens;
    made->sampling = greedy();
    return made;
}

/** A question of a random kind; some share their beginning. */
inline std::string random_question(Dice & dice, std::size_t filler) {
    std::string text;
    for (std::size_t i = dice.below(filler + 1); i > 0; --i)
        text += "Note " + std::to_string(i) + " says nothing. ";
    return text + "What is " + std::to_string(dice.below(90)) + (dice.coin() ? "+" : "-") +
           std::to_string(dice.below(90)) + "?";
}

}  // namespace r1::test

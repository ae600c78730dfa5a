// Claims about NgramDraft: guesses are what stood there before, and how far that agrees.
#include "core/speculation/ngram.h"

#include "test/check.h"

namespace {

using namespace r1;

R1_TEST("ngram: a guess is what followed the last eight tokens where they stood last") {
    test::Dice dice(4);
    NgramDraft draft;
    std::vector<llama_token> tokens;
    int guessed = 0;
    for (int step = 0; step < 3000; ++step) {
        tokens.push_back(static_cast<llama_token>(dice.below(2)));
        draft.follow(tokens, tokens.size());
        const std::size_t most = 1 + dice.below(8);
        const NgramDraft::Match match = draft.find(tokens, tokens.size());
        const std::vector<llama_token> guess = match.length == 0
                                                   ? std::vector<llama_token>()
                                                   : NgramDraft::propose(tokens, match, most);
        // The slow way: the last earlier place of the same eight tokens.
        std::vector<llama_token> expected;
        std::size_t agreeing = 0;
        if (tokens.size() > 8) {
            for (std::size_t at = tokens.size() - 1; at >= 8; --at) {
                if (std::equal(tokens.end() - 8, tokens.end(),
                               tokens.begin() + static_cast<std::ptrdiff_t>(at - 8))) {
                    while (agreeing < std::min<std::size_t>(at, 64) &&
                           tokens[at - 1 - agreeing] == tokens[tokens.size() - 1 - agreeing]) {
                        ++agreeing;
                    }
                    // What stood there, and, past the end of the text, what the guess itself put
                    // there.
                    std::vector<llama_token> grown = tokens;
                    for (std::size_t i = 0; i < most; ++i) {
                        expected.push_back(grown[at + i]);
                        grown.push_back(grown[at + i]);
                    }
                    break;
                }
            }
        }
        CHECK(guess == expected);
        CHECK_EQUAL(match.length, agreeing);
        guessed += guess.empty() ? 0 : 1;
    }
    CHECK(guessed > 2000);
}

R1_TEST(
    "ngram: nothing is guessed from fewer than nine tokens, from what never stood before, or from "
    "seven tokens that did") {
    NgramDraft draft;
    std::vector<llama_token> tokens;
    const auto take = [&](llama_token id) {
        tokens.push_back(id);
        draft.follow(tokens, tokens.size());
        return draft.find(tokens, tokens.size());
    };
    for (llama_token id = 0; id < 100; ++id) {
        CHECK_EQUAL(take(id).length, std::size_t{0});
    }
    for (llama_token id = 50; id < 57; ++id) {
        CHECK_EQUAL(take(id).length, std::size_t{0});
    }
    const NgramDraft::Match match = take(57);
    CHECK_EQUAL(match.length, std::size_t{8});
    CHECK_EQUAL(NgramDraft::propose(tokens, match, 8).front(), llama_token{58});
    NgramDraft few;
    const std::vector<llama_token> eight(8, 5);
    few.follow(eight, eight.size());
    CHECK_EQUAL(few.find(eight, eight.size()).length, std::size_t{0});
}

}  // namespace

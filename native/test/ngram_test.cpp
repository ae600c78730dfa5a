// Claims about NgramDraft and DraftPace: guesses are what stood there before, and guessing pauses when it does not pay.
#include "core/ngram.h"

#include "core/draft_pace.h"
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
        draft.follow(tokens);
        const std::size_t most = 1 + dice.below(8);
        const std::vector<llama_token> guess = draft.propose(tokens, most);
        // The slow way: the last earlier place of the same eight tokens.
        std::vector<llama_token> expected;
        if (tokens.size() > 8) {
            for (std::size_t at = tokens.size() - 1; at >= 8; --at) {
                if (std::equal(tokens.end() - 8, tokens.end(), tokens.begin() + static_cast<std::ptrdiff_t>(at - 8))) {
                    // What stood there, and, past the end of the text, what the guess itself put there.
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
        guessed += guess.empty() ? 0 : 1;
    }
    CHECK(guessed > 2000);
}

R1_TEST("ngram: nothing is guessed from fewer than nine tokens, from what never stood before, or from seven tokens that did") {
    NgramDraft draft;
    std::vector<llama_token> tokens;
    const auto take = [&](llama_token id) {
        tokens.push_back(id);
        draft.follow(tokens);
        return draft.propose(tokens, 8);
    };
    for (llama_token id = 0; id < 100; ++id) {
        CHECK(take(id).empty());
    }
    for (llama_token id = 50; id < 57; ++id) {
        CHECK(take(id).empty());
    }
    CHECK_EQUAL(take(57).front(), llama_token{58});
    NgramDraft few;
    const std::vector<llama_token> eight(8, 5);
    few.follow(eight);
    CHECK(few.propose(eight, 8).empty());
}

R1_TEST("draft pace: never guesses at 0, never above the longest, and rests when guesses keep failing") {
    CHECK_EQUAL(DraftPace(0).next(), std::size_t{0});
    DraftPace good(16);
    for (int i = 0; i < 20; ++i) {
        const std::size_t length = good.next();
        CHECK(length >= 1 && length <= 16);
        good.report(length, length);
    }
    CHECK_EQUAL(good.next(), std::size_t{16});
    DraftPace bad(16);
    int rests = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::size_t length = bad.next();
        rests += length == 0 ? 1 : 0;
        bad.report(length, 0);
    }
    CHECK(rests > 900);
    DraftPace one(1);
    for (int i = 0; i < 50; ++i) {
        const std::size_t length = one.next();
        CHECK(length <= 1);
        one.report(length, i % 3 == 0 ? length : 0);
    }
}

}  // namespace

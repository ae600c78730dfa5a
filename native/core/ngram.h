// NgramDraft: guesses the next tokens by looking up where the last few stood before. No second model. Engine thread only.
#pragma once

#include <llama.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace r1 {

class NgramDraft {
public:
    /** `longest`: most tokens to guess at once; 0: off. */
    explicit NgramDraft(int32_t longest) : longest_(longest) {}

    /** Indexes what is new in `tokens`, which only grows. */
    void follow(const std::vector<llama_token> & tokens);

    /** Guesses what comes after `tokens`, at most `most` of them; empty when nothing is known or guessing does not pay now. */
    std::vector<llama_token> propose(const std::vector<llama_token> & tokens, std::size_t most);

    /** Tells how a guess went: adapts its length, and pauses guessing while few guesses hold. */
    void report(std::size_t drafted, std::size_t accepted);

private:
    static constexpr std::size_t gram = 3;

    static uint64_t key(const llama_token * at);

    int32_t longest_;
    int32_t length_ = 4;       // tokens guessed at once, adapted
    double success_ = 0.6;     // moving share of guessed tokens that held
    int32_t pause_ = 0;        // proposals still to be skipped
    int32_t next_pause_ = 16;  // doubles while guessing keeps failing
    std::size_t indexed_ = 0;
    std::unordered_map<uint64_t, std::size_t> last_seen_;  // n-gram -> index of the token after it
};

}  // namespace r1

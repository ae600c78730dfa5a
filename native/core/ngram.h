// NgramDraft: guesses the next tokens by looking up where the last few stood before. No second model. Engine thread only.
#pragma once

#include <llama.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace r1 {

class NgramDraft {
public:
    /** Indexes what is new in `tokens`, which only grows. */
    void follow(const std::vector<llama_token> & tokens);

    /** What came after the last few of `tokens` when they stood there before, at most `most` tokens; empty if they never did. */
    std::vector<llama_token> propose(const std::vector<llama_token> & tokens, std::size_t most) const;

private:
    // Three tokens come again by chance in any text, and what followed them mostly does not: guesses then cost more than they bring
    // (docs/decisions/speculation.md). Eight that come again are mostly a copy.
    static constexpr std::size_t gram = 8;

    static uint64_t key(const llama_token * at);

    std::size_t indexed_ = 0;
    std::unordered_map<uint64_t, std::size_t> last_seen_;  // n-gram -> index of the token after it
};

}  // namespace r1

// NgramDraft: guesses the next tokens by looking up where the last few occurred before. No second
// model. Engine thread only.
#pragma once

#include <llama.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace r1 {

class NgramDraft {
public:
    /** Where the end of a text stood before. */
    struct Match {
        std::size_t next = 0;  // index of the token that came after it there
        std::size_t length =
            0;  // tokens that agree, at most `max_compared`; 0: no earlier occurrence
    };
    static constexpr std::size_t max_compared = 64;

    /** Indexes the new ones of the first `count` of `tokens`, which only grow. */
    void follow(const std::vector<llama_token> & tokens, std::size_t count);

    /**
     * The previous occurrence of the last few of the first `count` of `tokens`, which follow() has
     * indexed.
     */
    Match find(const std::vector<llama_token> & tokens, std::size_t count) const;

    /** What came after a match that ends with `tokens`: `count` tokens. */
    static std::vector<llama_token> propose(const std::vector<llama_token> & tokens,
                                            const Match & match, std::size_t count);

private:
    // Three tokens recur by chance in any text, and the tokens after them mostly differ: guesses
    // then cost more than they gain (docs/decisions/speculation.md). Eight that recur are mostly a
    // copy.
    static constexpr std::size_t gram = 8;

    static uint64_t key(const llama_token * at);

    std::size_t indexed_ = 0;
    std::unordered_map<uint64_t, std::size_t> last_seen_;  // n-gram -> index of the token after it
};

}  // namespace r1

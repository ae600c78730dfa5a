// NgramDraft: guesses the next tokens by looking up where the last few stood before. No second
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
            0;  // tokens that agree, at most `most_compared`; 0: it never stood there
    };
    static constexpr std::size_t most_compared = 64;

    /** Takes in what is new of the first `count` of `tokens`, which only grow. */
    void follow(const std::vector<llama_token> & tokens, std::size_t count);

    /** Where the last few of the first `count` of `tokens` stood last before; follow() has taken
     * them in. */
    Match find(const std::vector<llama_token> & tokens, std::size_t count) const;

    /** What came after a match that ends with `tokens`: `count` tokens. */
    static std::vector<llama_token> propose(const std::vector<llama_token> & tokens,
                                            const Match & match, std::size_t count);

private:
    // Three tokens come again by chance in any text, and what followed them mostly does not:
    // guesses then cost more than they bring (docs/decisions/speculation.md). Eight that come again
    // are mostly a copy.
    static constexpr std::size_t gram = 8;

    static uint64_t key(const llama_token * at);

    std::size_t indexed_ = 0;
    std::unordered_map<uint64_t, std::size_t> last_seen_;  // n-gram -> index of the token after it
};

}  // namespace r1

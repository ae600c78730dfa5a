// LoopGuard: tells when the last tokens go in a circle. One owner, no lock; about a hundred nanoseconds a token.
#pragma once

#include <llama.h>

#include <array>
#include <cstdint>
#include <vector>

namespace r1 {

class LoopGuard {
public:
    /** `limit`: how many tokens must each equal the one a period before; 0: never. */
    explicit LoopGuard(int32_t limit) : limit_(limit) {}

    /** Takes the next token; `tokens` ends with it. True when some period up to 256 has held for `limit` tokens and at least four rounds. */
    bool push(const std::vector<llama_token> & tokens) {
        if (limit_ <= 0) {
            return false;
        }
        const std::size_t last = tokens.size() - 1;
        for (std::size_t period = 1; period <= most && period <= last; ++period) {
            int32_t & run = runs_[period - 1];
            run = tokens[last] == tokens[last - period] ? run + 1 : 0;
            if (run >= limit_ && run >= static_cast<int32_t>(4 * period)) {
                return true;
            }
        }
        return false;
    }

private:
    static constexpr std::size_t most = 256;
    std::array<int32_t, most> runs_{};
    int32_t limit_;
};

}  // namespace r1

// LoopGuard: detects when the last tokens repeat in a cycle. One owner, no lock; less than a
// microsecond a token.
#pragma once

#include <llama.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace r1 {

class LoopGuard {
public:
    /** `limit`: how many tokens must each equal the one a period before; 0: never. */
    explicit LoopGuard(int32_t limit) : limit_(limit) {}

    /** Takes the next token; `tokens` ends with it. True when some period up to 1024 has held for
     * `limit` tokens and at least four rounds. */
    bool push(const std::vector<llama_token> & tokens) {
        if (limit_ <= 0) {
            return false;
        }
        const std::size_t reach = std::min(most, tokens.size() - 1);
        const llama_token token = tokens.back();
        // No branch inside, so that the compiler processes several periods at once.
        const llama_token * before = tokens.data() + (tokens.size() - 1 - reach);
        int32_t * runs = runs_.data() + (most - reach);
        int32_t reached = 0;
        for (std::size_t i = 0; i < reach; ++i) {
            const int32_t next = runs[i] + 1;
            runs[i] = before[i] == token ? next : 0;
            reached += runs[i] >= limit_ ? 1 : 0;
        }
        if (reached == 0) {
            return false;
        }
        for (std::size_t period = 1; period <= reach; ++period) {
            const int32_t run = runs_[most - period];
            if (run >= limit_ && run >= static_cast<int32_t>(4 * period)) {
                return true;
            }
        }
        return false;
    }

private:
    static constexpr std::size_t most = 1024;
    std::array<int32_t, most> runs_{};  // number of tokens for which each period has held; the
                                        // longest period first, in the order of the tokens
    int32_t limit_;
};

}  // namespace r1

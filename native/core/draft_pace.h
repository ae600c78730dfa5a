// DraftPace: how many tokens to guess, and whether guessing pays at all; learns from how guesses went. One owner, no lock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace r1 {

class DraftPace {
public:
    /** `longest`: most tokens to guess at once; 0: never guess. */
    explicit DraftPace(int32_t longest) : longest_(longest) {}

    /** Tokens to guess now; counts down a pause. */
    std::size_t next() {
        if (longest_ <= 0) {
            return 0;
        }
        if (pause_ > 0) {
            --pause_;
            return 0;
        }
        return static_cast<std::size_t>(std::min(length_, longest_));
    }

    /** Tells how a guess went. */
    void report(std::size_t drafted, std::size_t accepted) {
        if (drafted == 0) {
            return;
        }
        const double share = static_cast<double>(accepted) / static_cast<double>(drafted);
        success_ += 0.25 * (share - success_);
        if (accepted == drafted) {
            length_ = std::min(longest_, length_ * 2 + 1);
            next_pause_ = first_pause;
        } else if (share < 0.5) {
            length_ = std::max(shortest, length_ / 2);
        }
        if (success_ < 0.3) {
            // Verifying costs more than it saves: rest, longer each time, then try again with an open mind.
            pause_ = next_pause_;
            next_pause_ = std::min(next_pause_ * 2, 512);
            success_ = 0.5;
            length_ = shortest;
        }
    }

private:
    static constexpr int32_t first_pause = 16;
    // Lengths go 3, 7, 15: with the token before them that is 4, 8, 16 rows, which a CPU's repacked kernels take at once; rows left over cost as much as one
    // each.
    static constexpr int32_t shortest = 3;

    int32_t longest_;
    int32_t length_ = 7;
    double success_ = 0.6;  // moving share of guessed tokens that held
    int32_t pause_ = 0;     // guesses still to be left out
    int32_t next_pause_ = first_pause;
};

}  // namespace r1

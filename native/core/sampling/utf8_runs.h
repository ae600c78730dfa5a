// Utf8Runs: sets of code points as runs of byte ranges in UTF-8. Pure; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace r1 {

using CodeRange = std::pair<uint32_t, uint32_t>;  // both ends included
using ByteRange = std::pair<uint8_t, uint8_t>;

constexpr uint32_t last_code_point = 0x10FFFF;

inline bool is_surrogate(uint32_t code) { return code >= 0xD800 && code <= 0xDFFF; }

/** Code points as runs of byte ranges: a text is in the set if its bytes fit one run. Halves of
 * surrogate pairs are no characters and are left out. */
class Utf8Runs {
public:
    std::vector<std::vector<ByteRange>> runs;

    void add(uint32_t low, uint32_t high) {
        // Lengths change at these.
        constexpr std::array<CodeRange, 5> parts = {{{0, 0x7F},
                                                     {0x80, 0x7FF},
                                                     {0x800, 0xD7FF},
                                                     {0xE000, 0xFFFF},
                                                     {0x10000, last_code_point}}};
        for (const auto & [first, last] : parts) {
            const uint32_t from = std::max(low, first);
            const uint32_t to = std::min(high, last);
            if (from <= to) split(from, to);
        }
    }

private:
    // Calls itself at most a few levels deep: once for each byte of a character.
    void split(uint32_t low, uint32_t high) {
        const uint32_t more = low < 0x80 ? 0 : low < 0x800 ? 1 : low < 0x10000 ? 2 : 3;
        for (uint32_t i = 1; i <= more; ++i) {
            const uint32_t mask = (1U << (6 * i)) - 1;
            if ((low & ~mask) == (high & ~mask)) continue;
            if ((low & mask) != 0) {
                split(low, low | mask);
                split((low | mask) + 1, high);
                return;
            }
            if ((high & mask) != mask) {
                split(low, (high & ~mask) - 1);
                split(high & ~mask, high);
                return;
            }
        }
        constexpr std::array<uint32_t, 4> marks = {0, 0xC0, 0xE0, 0xF0};
        std::vector<ByteRange> run;
        for (uint32_t i = 0; i <= more; ++i) {
            const uint32_t shift = 6 * (more - i);
            const uint32_t mark = i > 0 ? 0x80U : marks[more];
            const uint32_t bits = i > 0 ? 0x3FU : more == 0 ? 0x7FU : 0x3FU >> more;
            run.emplace_back(static_cast<uint8_t>(mark | ((low >> shift) & bits)),
                             static_cast<uint8_t>(mark | ((high >> shift) & bits)));
        }
        runs.push_back(std::move(run));
    }
};

/** All code points that are in none of the ranges. */
inline std::vector<CodeRange> inverted(std::vector<CodeRange> ranges) {
    std::sort(ranges.begin(), ranges.end());
    std::vector<CodeRange> gaps;
    uint32_t next = 0;
    for (const auto & [from, to] : ranges) {
        if (from > to) continue;
        if (from > next) gaps.emplace_back(next, from - 1);
        next = std::max(next, to + 1);
    }
    if (next <= last_code_point) gaps.emplace_back(next, last_code_point);
    return gaps;
}

}  // namespace r1

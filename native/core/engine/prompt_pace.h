// PromptPace: how many rows of prompts a step takes while several prompts wait. Engine thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/backend/recent_median.h"

namespace r1 {

/**
 * Prompts that arrive together would all be ready at the end if they shared full steps. One after
 * the other, half of them are ready in half the time; but a step of few rows costs more for each
 * row where reading the weights dominates (a device, experts). So this class measures, and takes
 * the smallest step whose rows cost about as much as those of a full one.
 */
class PromptPace {
public:
    /** `chunk`: rows of a full step. */
    explicit PromptPace(std::size_t chunk);

    /** Always full steps; learns nothing, so that no clock influences the shape of a batch. */
    static PromptPace full(std::size_t chunk);

    /** Records that a step with prompts, of `rows` rows in all, took `milliseconds`. */
    void report(std::size_t rows, double milliseconds);

    /** Rows after which a step takes no further prompt. 1 to `chunk`. */
    std::size_t rows() const;

private:
    // Number of steps after which a figure is forgotten and measured again.
    static constexpr uint64_t lifetime = 256;
    // What a row of a smaller step may cost, relative to one of the largest.
    static constexpr double tolerance = 1.15;
    static constexpr std::size_t smallest = 32;

    /** Steps of more than half of `rows`, and at most `rows`. */
    struct Size {
        std::size_t rows;
        RecentMedian milliseconds{};  // of a row
        uint64_t step = 0;
    };

    bool is_known(const Size & size) const {
        return !size.milliseconds.empty() && steps_ - size.step <= lifetime;
    }

    std::vector<Size> sizes_;  // ascending; the last is that of full steps
    uint64_t steps_ = 0;
    bool learns_ = true;
};

}  // namespace r1

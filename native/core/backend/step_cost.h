// StepCost: how long a decode step takes by its number of rows, as measured lately. Used to decide
// whether a guess pays. One owner, no lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "core/backend/recent_median.h"

namespace r1 {

class StepCost {
public:
    /** Learns from report(). */
    StepCost() = default;

    /** Rows of a step, and what it takes. */
    using Table = std::vector<std::pair<std::size_t, double>>;

    /** Learns nothing, so that no clock influences the shape of a batch. `table` is not empty. */
    static StepCost fixed(const Table & table);
    /** The costs of one machine, in steps of one row. */
    static StepCost typical();

    /**
     * Records that a step of `rows` rows took `milliseconds`. Do not report steps that also compute
     * prompts.
     */
    void report(std::size_t rows, double milliseconds);

    /**
     * Whether steps of `rows`, or both of fewer and of more rows, were measured. The cost of more
     * rows is compared with this.
     */
    bool knows(std::size_t rows) const;

    /**
     * Milliseconds of a step of `rows`, interpolated linearly between measured steps. Above the
     * measured range: an optimistic figure, so that it is tried. Needs one report.
     */
    double of(std::size_t rows) const;

    /**
     * Additional milliseconds of a step with another number of rows than the last: llama.cpp builds
     * a new graph, which matters for a small model.
     */
    double change() const { return change_.empty() ? 0 : change_.value(); }
    double change_to(std::size_t rows) const { return rows == last_rows_ ? 0 : change(); }

private:
    // Number of steps after which a figure is forgotten: otherwise a bad measurement would never be
    // repeated.
    static constexpr uint64_t lifetime = 512;
    // Above the measured range: the cost of each further row as a fraction of one row's share.
    static constexpr double hope = 0.2;

    struct Seen {
        RecentMedian milliseconds;
        uint64_t step = 0;
        bool again = false;  // `milliseconds` are of steps that came after one of as many rows
    };

    bool learns_ = true;
    uint64_t steps_ = 0;
    std::size_t last_rows_ = 0;
    std::map<std::size_t, Seen> seen_;
    RecentMedian change_;
};

}  // namespace r1

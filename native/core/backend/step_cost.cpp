// StepCost: how long a decode step takes by its number of rows, as measured lately. Engine thread
// only.
#include "core/backend/step_cost.h"

#include <algorithm>

namespace r1 {

StepCost StepCost::fixed(const Table & table) {
    StepCost cost;
    for (const auto & [rows, each] : table) {
        cost.report(rows, each);
    }
    cost.learns_ = false;
    cost.change_.clear();
    return cost;
}

// docs/evidence/benchmark.md, "Rows of a step".
StepCost StepCost::typical() {
    return fixed({{1, 1.0}, {2, 1.9}, {4, 2.5}, {8, 3.2}, {16, 4.0}, {64, 16.0}});
}

void StepCost::report(std::size_t rows, double milliseconds) {
    if (!learns_ || rows == 0) {
        return;
    }
    ++steps_;
    Seen & seen = seen_[rows];
    if (rows == last_rows_) {
        if (!seen.again) {
            seen.milliseconds.clear();
        }
        seen.again = true;
        seen.milliseconds.add(milliseconds);
    } else if (seen.again) {
        change_.add(std::max(0.0, milliseconds - seen.milliseconds.value()));
    } else {
        // Row counts that never occur twice in succession are learnt too.
        seen.milliseconds.add(std::max(0.0, milliseconds - change()));
    }
    seen.step = steps_;
    last_rows_ = rows;
    for (auto entry = seen_.begin(); entry != seen_.end();) {
        entry = steps_ - entry->second.step > lifetime ? seen_.erase(entry) : std::next(entry);
    }
}

bool StepCost::knows(std::size_t rows) const {
    return !seen_.empty() && seen_.begin()->first <= rows && rows <= seen_.rbegin()->first;
}

double StepCost::of(std::size_t rows) const {
    const auto above = seen_.lower_bound(rows);
    if (above != seen_.end() && above->first == rows) {
        return above->second.milliseconds.value();
    }
    if (above == seen_.begin()) {
        return above->second.milliseconds.value();  // fewer rows than ever seen; knows() says so
    }
    const auto below = std::prev(above);
    const double least = below->second.milliseconds.value();
    const double more = static_cast<double>(rows - below->first);
    if (above == seen_.end()) {
        return least * (1 + hope * more / static_cast<double>(below->first));
    }
    return least + (above->second.milliseconds.value() - least) * more /
                       static_cast<double>(above->first - below->first);
}

}  // namespace r1

// RecentMedian: the median of the last few measured times. One owner, no lock.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace r1 {

/** A median, so that one step that another program delayed does not count. */
class RecentMedian {
public:
    bool empty() const { return count_ == 0; }
    void clear() { count_ = 0; }
    void add(double value) { last_[count_++ % kept] = value; }

    /** Not to be called while empty(). */
    double value() const {
        const std::size_t size = std::min(count_, kept);
        std::array<double, kept> sorted = last_;
        std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(size));
        return sorted[(size - 1) / 2];
    }

private:
    static constexpr std::size_t kept = 5;

    std::array<double, kept> last_{};
    std::size_t count_ = 0;
};

}  // namespace r1

// RoundMap: remembers the keys of one round, and empties at no cost. One owner.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace r1 {

/** Keys of two numbers, each with a small value. */
class RoundMap {
public:
    static uint64_t mixed(uint64_t hash, uint64_t value) {
        hash = (hash ^ value) * 0xFF51AFD7ED558CCDU;
        return hash ^ (hash >> 32);
    }

    /** Forgets everything. */
    void next_round() {
        used_ = 0;
        if (++round_ == 0) {
            entries_.assign(entries_.size(), {});
            round_ = 1;
        }
    }

    /** The value stored for the key, made with `value` if it is new. Valid until the next call. */
    uint32_t & find(uint64_t high, uint64_t low, uint32_t value, bool & is_new) {
        if (used_ * 2 >= entries_.size()) grow();
        std::size_t slot = mixed(mixed(0x9E3779B97F4A7C15U, high), low) & (entries_.size() - 1);
        for (;; slot = (slot + 1) & (entries_.size() - 1)) {
            Entry & entry = entries_[slot];
            if (entry.round != round_) {
                entry = {high, low, round_, value};
                ++used_;
                is_new = true;
                return entry.value;
            }
            if (entry.high == high && entry.low == low) {
                is_new = false;
                return entry.value;
            }
        }
    }

private:
    struct Entry {
        uint64_t high, low;
        uint32_t round, value;
    };

    void grow() {
        const std::vector<Entry> old = std::move(entries_);
        entries_.assign(old.size() * 2, {});
        used_ = 0;
        bool is_new = false;
        for (const Entry & entry : old) {
            if (entry.round == round_) find(entry.high, entry.low, entry.value, is_new);
        }
    }

    std::vector<Entry> entries_ = std::vector<Entry>(1024);
    std::size_t used_ = 0;
    uint32_t round_ = 0;
};

}  // namespace r1

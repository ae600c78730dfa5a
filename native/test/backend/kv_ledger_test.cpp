// Claims about KvLedger: over random operations it counts what a naive model of the cache holds.
#include "core/backend/kv_ledger.h"

#include <map>
#include <set>

#include "core/failure.h"
#include "test/check.h"

namespace {

using namespace r1;

// Every cell of the pool with the sequences in it; a sequence's tokens lie in cells of their own or
// in shared ones.
class NaiveCache {
public:
    explicit NaiveCache(std::size_t sequences) : held_(sequences) {}

    void append(llama_seq_id sequence, llama_token token) {
        held_[index(sequence)].push_back({token, next_++});
    }
    void truncate(llama_seq_id sequence, std::size_t count) {
        auto & list = held_[index(sequence)];
        list.resize(std::min(list.size(), count));
    }
    void share(llama_seq_id from, llama_seq_id to, std::size_t count, bool shared) {
        for (std::size_t i = 0; i < count; ++i) {
            auto entry = held_[index(from)][i];
            if (!shared) entry.second = next_++;
            held_[index(to)].push_back(entry);
        }
    }
    std::size_t used() const {
        std::set<uint64_t> cells;
        for (const auto & list : held_) {
            for (const auto & entry : list) cells.insert(entry.second);
        }
        return cells.size();
    }
    std::size_t own(llama_seq_id sequence) const {
        std::map<uint64_t, int> holders;
        for (const auto & list : held_) {
            for (const auto & entry : list) ++holders[entry.second];
        }
        std::size_t count = 0;
        for (const auto & entry : held_[index(sequence)])
            count += holders[entry.second] == 1 ? 1 : 0;
        return count;
    }
    std::vector<llama_token> tokens(llama_seq_id sequence) const {
        std::vector<llama_token> out;
        for (const auto & entry : held_[index(sequence)]) out.push_back(entry.first);
        return out;
    }

private:
    static std::size_t index(llama_seq_id sequence) { return static_cast<std::size_t>(sequence); }
    std::vector<std::vector<std::pair<llama_token, uint64_t>>> held_;
    uint64_t next_ = 0;
};

void run_against_naive(bool shared, uint32_t seed) {
    constexpr uint32_t sequences = 5;
    constexpr uint32_t capacity = 120;
    KvLedger ledger(sequences, capacity, shared ? capacity : capacity / sequences, shared);
    NaiveCache naive(sequences);
    test::Dice dice(seed);
    for (int step = 0; step < 4000; ++step) {
        const auto sequence = static_cast<llama_seq_id>(dice.below(sequences));
        const std::size_t length = ledger.tokens(sequence).size();
        const std::size_t what = dice.below(10);
        if (what < 7 && ledger.used() < capacity && length < ledger.per_sequence()) {
            const auto token = static_cast<llama_token>(dice.below(3));
            ledger.append(sequence, token);
            naive.append(sequence, token);
        } else if (what < 9) {
            const std::size_t count = dice.below(length + 2);
            ledger.truncate(sequence, count);
            naive.truncate(sequence, count);
        } else {
            const auto to = static_cast<llama_seq_id>(dice.below(sequences));
            const std::size_t count = dice.below(length + 1);
            if (to == sequence || (!shared && ledger.capacity() - ledger.used() < count)) continue;
            ledger.truncate(to, 0);
            naive.truncate(to, 0);
            ledger.share(sequence, to, count);
            naive.share(sequence, to, count, shared);
        }
        CHECK_EQUAL(static_cast<std::size_t>(ledger.used()), naive.used());
        for (llama_seq_id s = 0; s < static_cast<llama_seq_id>(sequences); ++s) {
            CHECK(ledger.tokens(s) == naive.tokens(s));
            CHECK_EQUAL(static_cast<std::size_t>(ledger.own_cells(s)), naive.own(s));
        }
    }
    for (llama_seq_id s = 0; s < static_cast<llama_seq_id>(sequences); ++s) ledger.truncate(s, 0);
    CHECK_EQUAL(ledger.used(), 0u);
}

R1_TEST("kv ledger: random operations on one pool count as a naive cache does") {
    for (uint32_t seed = 1; seed <= 4; ++seed) run_against_naive(true, seed);
}

R1_TEST("kv ledger: random operations on a share for each sequence count as a naive cache does") {
    for (uint32_t seed = 5; seed <= 8; ++seed) run_against_naive(false, seed);
}

R1_TEST("kv ledger: a full pool refuses another token instead of miscounting") {
    KvLedger ledger(1, 2, 2, true);
    ledger.append(0, 1);
    ledger.append(0, 2);
    CHECK_FAILS(ledger.append(0, 3), ErrorCode::Internal);
}

R1_TEST("kv ledger: the common prefix of two lists ends at their first difference") {
    CHECK_EQUAL(common_prefix({1, 2, 3}, {1, 2, 4, 5}), std::size_t{2});
    CHECK_EQUAL(common_prefix({}, {1}), std::size_t{0});
    CHECK_EQUAL(common_prefix({1, 2}, {1, 2}), std::size_t{2});
}

}  // namespace

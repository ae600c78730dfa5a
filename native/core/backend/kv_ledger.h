// KvLedger: which cache cells each sequence holds, shared ones counted once; the exact mirror of
// llama.cpp's KV cache, which tells no counts. Engine thread only.
#pragma once

#include <cstdint>
#include <vector>

#include <llama.h>

namespace r1 {

class KvLedger {
public:
    /** `capacity` cells in all, `per_sequence` at most for one; `shared`: one pool for all
     * sequences, so that sharing a prefix costs nothing. */
    KvLedger(uint32_t sequences, uint32_t capacity, uint32_t per_sequence, bool shared);

    /** One more token of a sequence is in the cache. */
    void append(llama_seq_id sequence, llama_token token);

    /** The sequence keeps its first `count` tokens. */
    void truncate(llama_seq_id sequence, std::size_t count);

    /** `to`, which must be empty, gets the first `count` tokens of `from`: the same cells in a
     * shared pool, copies otherwise. */
    void share(llama_seq_id from, llama_seq_id to, std::size_t count);

    /** Keeps a sequence's tokens for one session, until it is emptied; what is computed from them
     * and what is shared from them too. 0: for all. */
    void reserve_for(llama_seq_id sequence, uint64_t session) { entry(sequence).session = session; }

    /** Whether a request of this session (0: of none) may use what the sequence holds. */
    bool is_usable_by(llama_seq_id sequence, uint64_t session) const {
        const uint64_t kept_for = entry(sequence).session;
        return kept_for == 0 || kept_for == session;
    }
    /** The session that the sequence's cells are kept for; 0: none. */
    uint64_t session(llama_seq_id sequence) const { return entry(sequence).session; }

    const std::vector<llama_token> & tokens(llama_seq_id sequence) const {
        return entry(sequence).tokens;
    }
    uint32_t used() const { return used_; }
    uint32_t capacity() const { return capacity_; }
    uint32_t per_sequence() const { return per_sequence_; }
    bool shared() const { return shared_; }

    /** Cells that would become free if the sequence were emptied: those no other one shares. */
    uint32_t own_cells(llama_seq_id sequence) const;

private:
    struct Entry {
        std::vector<llama_token> tokens;
        std::vector<uint32_t> cells;
        uint64_t session = 0;  // cells that a session brought along are its own; 0: anybody's
    };

    const Entry & entry(llama_seq_id sequence) const {
        return entries_[static_cast<std::size_t>(sequence)];
    }
    Entry & entry(llama_seq_id sequence) { return entries_[static_cast<std::size_t>(sequence)]; }
    uint32_t take_cell();

    std::vector<Entry> entries_;
    std::vector<uint16_t> holders_;  // by cell
    std::vector<uint32_t> free_;
    uint32_t capacity_;
    uint32_t per_sequence_;
    uint32_t used_ = 0;
    bool shared_;
};

/** Number of equal tokens at the beginning of two lists. */
std::size_t common_prefix(const std::vector<llama_token> & a, const std::vector<llama_token> & b);

}  // namespace r1

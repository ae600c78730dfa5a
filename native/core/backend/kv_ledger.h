// KvLedger: records which cache cells each sequence holds; shared cells count once. It mirrors
// llama.cpp's KV cache exactly, because llama.cpp reports no counts. Engine thread only.
#pragma once

#include <cstdint>
#include <vector>

#include <llama.h>

namespace r1 {

class KvLedger {
public:
    /**
     * `capacity`: cells in total. `per_sequence`: maximum for one sequence. `shared`: one pool for
     * all sequences, so that sharing a prefix costs nothing.
     */
    KvLedger(uint32_t sequences, uint32_t capacity, uint32_t per_sequence, bool shared);

    /** Records one more token of a sequence in the cache. */
    void append(llama_seq_id sequence, llama_token token);

    /** The sequence keeps its first `count` tokens. */
    void truncate(llama_seq_id sequence, std::size_t count);

    /**
     * Gives `to`, which must be empty, the first `count` tokens of `from`: the same cells in a
     * shared pool, copies otherwise.
     */
    void share(llama_seq_id from, llama_seq_id to, std::size_t count);

    /**
     * Reserves a sequence's tokens for one session until the sequence is emptied, and also all
     * tokens computed or shared from them. 0: for all.
     */
    void reserve_for(llama_seq_id sequence, uint64_t session) { entry(sequence).session = session; }

    /** Whether a request of this session (0: of none) may use the sequence's cells. */
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

    /**
     * Cells that would become free if the sequence were emptied: those that no other sequence
     * shares.
     */
    uint32_t own_cells(llama_seq_id sequence) const;

private:
    struct Entry {
        std::vector<llama_token> tokens;
        std::vector<uint32_t> cells;
        // The session that brought these cells and owns them; 0: any may use them.
        uint64_t session = 0;
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

// Cache: llama.cpp's KV memory together with the ledger that counts it; the only place that changes
// either. Engine thread only.
#pragma once

#include <llama.h>

#include "core/kv_ledger.h"

namespace r1 {

class Cache {
public:
    Cache(llama_memory_t memory, uint32_t sequences, uint32_t capacity, uint32_t per_sequence,
          bool unified)
        : memory_(memory), ledger_(sequences, capacity, per_sequence, unified) {}

    const KvLedger & ledger() const { return ledger_; }
    const std::vector<llama_token> & tokens(llama_seq_id sequence) const {
        return ledger_.tokens(sequence);
    }
    std::size_t length(llama_seq_id sequence) const { return ledger_.tokens(sequence).size(); }
    uint32_t free_cells() const { return ledger_.capacity() - ledger_.used(); }

    /** A token of a decoded batch is in the cache now. */
    void decoded(llama_seq_id sequence, llama_token token) { ledger_.append(sequence, token); }

    /** The sequence keeps its first `count` tokens, in llama.cpp too, whatever a failed decode left
     * there. */
    void truncate(llama_seq_id sequence, std::size_t count) {
        // From -1 llama.cpp takes every position; from 0 it leaves one at INT32_MAX behind.
        const llama_pos from = count == 0 ? -1 : static_cast<llama_pos>(count);
        llama_memory_seq_rm(memory_, sequence, from, -1);
        ledger_.truncate(sequence, count);
    }

    /** `to` is emptied and gets the first `count` tokens of `from`. */
    void share(llama_seq_id from, llama_seq_id to, std::size_t count) {
        truncate(to, 0);
        if (ledger_.shared()) {
            llama_memory_seq_cp(memory_, from, to, 0, static_cast<llama_pos>(count));
        } else {
            // Between buffers of their own llama.cpp copies whole sequences only, and aborts on a
            // part.
            llama_memory_seq_cp(memory_, from, to, -1, -1);
            llama_memory_seq_rm(memory_, to, static_cast<llama_pos>(count), -1);
        }
        ledger_.share(from, to, count);
    }

    /** Counts the cells that a saved session is about to put into an empty sequence; they are that
     * session's alone. */
    void expect(llama_seq_id sequence, const std::vector<llama_token> & tokens, uint64_t session) {
        for (const llama_token token : tokens) {
            ledger_.append(sequence, token);
        }
        ledger_.reserve_for(sequence, session);
    }

private:
    llama_memory_t memory_;
    KvLedger ledger_;
};

}  // namespace r1

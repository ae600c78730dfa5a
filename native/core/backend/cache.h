// Cache: llama.cpp's KV memory and the ledger that counts its cells. Only this class changes either
// of them. Engine thread only.
#pragma once

#include <llama.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/backend/kv_ledger.h"

namespace r1 {

/** Which part of a sequence llama.cpp can take back. */
struct MemoryKind {
    /** A recurrent state (all layers, or some beside attention) cannot go back to an earlier token:
     * a sequence is kept whole or emptied, and its cells are not shared. */
    bool whole_only = false;
    /**
     * Number of tokens that layers with a sliding window look back; 0: no such layers. Cells beyond
     * the window may be gone.
     */
    int32_t window = 0;

    static MemoryKind of(const llama_model * model) {
        return {llama_model_is_recurrent(model) || llama_model_is_hybrid(model),
                std::max(llama_model_n_swa(model), 0)};
    }
};

class Cache {
public:
    Cache(llama_memory_t memory, MemoryKind kind, uint32_t sequences, uint32_t capacity,
          uint32_t per_sequence, bool unified)
        : memory_(memory), kind_(kind), ledger_(sequences, capacity, per_sequence, unified) {}

    const KvLedger & ledger() const { return ledger_; }
    const std::vector<llama_token> & tokens(llama_seq_id sequence) const {
        return ledger_.tokens(sequence);
    }
    std::size_t length(llama_seq_id sequence) const { return ledger_.tokens(sequence).size(); }
    uint32_t free_cells() const { return ledger_.capacity() - ledger_.used(); }

    /** Whether a sequence can only be kept whole or emptied, and not be shared. */
    bool whole_only() const { return kind_.whole_only; }

    /** A token of a decoded batch is in the cache now. */
    void decoded(llama_seq_id sequence, llama_token token) { ledger_.append(sequence, token); }

    /**
     * Cuts the sequence to its first `count` tokens, also in llama.cpp and after a failed decode.
     * If llama.cpp cannot keep them, empties the sequence. Returns how many are kept.
     */
    std::size_t truncate(llama_seq_id sequence, std::size_t count) {
        const std::size_t kept = take_back(sequence, std::min(count, length(sequence)));
        ledger_.truncate(sequence, kept);
        return kept;
    }

    /** Empties a sequence. */
    void clear(llama_seq_id sequence) {
        llama_memory_seq_rm(memory_, sequence, -1, -1);
        ledger_.truncate(sequence, 0);
    }

    /**
     * Empties `to` and copies the first `count` tokens of `from` to it, or none if llama.cpp cannot
     * copy them. Returns how many were copied.
     */
    std::size_t share(llama_seq_id from, llama_seq_id to, std::size_t count) {
        clear(to);
        if (kind_.whole_only || !reaches_back(from, count)) {
            return 0;
        }
        if (ledger_.shared()) {
            llama_memory_seq_cp(memory_, from, to, 0, static_cast<llama_pos>(count));
        } else {
            // Between separate buffers llama.cpp copies only whole sequences, and aborts on a part.
            llama_memory_seq_cp(memory_, from, to, -1, -1);
            if (!llama_memory_seq_rm(memory_, to, static_cast<llama_pos>(count), -1)) {
                llama_memory_seq_rm(memory_, to, -1, -1);
                return 0;
            }
        }
        ledger_.share(from, to, count);
        return count;
    }

    /**
     * Counts the cells that a saved session is about to put into an empty sequence. Only that
     * session may use them.
     */
    void expect(llama_seq_id sequence, const std::vector<llama_token> & tokens, uint64_t session) {
        for (const llama_token token : tokens) {
            ledger_.append(sequence, token);
        }
        ledger_.reserve_for(sequence, session);
    }

private:
    // Whether all cells that the token after the first `count` looks back on still exist.
    bool reaches_back(llama_seq_id sequence, std::size_t count) const {
        if (kind_.window == 0 || count == 0) {
            return true;
        }
        const llama_pos first = llama_memory_seq_pos_min(memory_, sequence);
        return first >= 0 &&
               first <= std::max<llama_pos>(0, static_cast<llama_pos>(count) - kind_.window);
    }

    std::size_t take_back(llama_seq_id sequence, std::size_t count) {
        if (count == 0) {
            llama_memory_seq_rm(memory_, sequence, -1, -1);
            return 0;
        }
        // A recurrent state also counts the tokens of a failed decode.
        const bool has_more =
            llama_memory_seq_pos_max(memory_, sequence) >= static_cast<llama_pos>(count);
        const bool kept = !has_more || (reaches_back(sequence, count) &&
                                        llama_memory_seq_rm(memory_, sequence,
                                                            static_cast<llama_pos>(count), -1));
        if (!kept) {
            llama_memory_seq_rm(memory_, sequence, -1, -1);
            return 0;
        }
        return count;
    }

    llama_memory_t memory_;
    MemoryKind kind_;
    KvLedger ledger_;
};

}  // namespace r1

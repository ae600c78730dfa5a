// Bpe: byte-level byte-pair encoding of words, as llama.cpp does it (llm_tokenizer_bpe_session,
// llama-vocab.cpp), in n log n and constant stack. One Bpe serves one text, on one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/upstream_vocab.h"

namespace r1 {

class Bpe {
public:
    explicit Bpe(const UpstreamVocab & vocab);

    /** Appends the ids of a word, which is UTF-8. A byte that the vocabulary cannot write is left
     * out, as upstream does. */
    void append(std::string_view word, std::vector<llama_token> & out);

private:
    /** A piece of the word that is merged here; an empty one was merged into the one before it. */
    struct Symbol {
        std::uint32_t start;
        std::uint32_t bytes;
        std::int32_t before;
        std::int32_t after;
    };
    /** Two neighbours that may be merged. */
    struct Pair {
        std::int32_t left;
        std::int32_t right;
        int rank;
        std::uint32_t bytes;
    };
    /** A word that was seen before, with its ids; both lie in the arenas. */
    struct Known {
        std::uint32_t word;
        std::uint32_t bytes;
        std::uint32_t ids;
        std::uint32_t count;
        std::uint32_t hash;
    };

    void encode(std::string_view word, std::vector<llama_token> & out);
    void offer(std::int32_t left, std::int32_t right);
    void merge_all();
    void append_symbol(const std::string & text, std::vector<llama_token> & out) const;
    bool find(std::string_view word, std::uint32_t hash, std::vector<llama_token> & out) const;
    void remember(std::string_view word, std::uint32_t hash, const llama_token * ids,
                  std::size_t count);
    void grow();

    UpstreamVocab vocab_;
    const bool ignores_merges_;
    // Of the word at hand: its bytes as printable characters, and what became of them.
    std::string encoded_;
    std::vector<Symbol> symbols_;
    std::vector<Pair> pairs_;  // a heap, the best on top
    // Words of this text so far, by open addressing.
    std::string words_;
    std::vector<llama_token> ids_;
    std::vector<Known> known_;
    std::vector<std::uint32_t> slots_;  // index into known_ + 1; 0: free
};

}  // namespace r1

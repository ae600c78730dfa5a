// Vocab: converts text to ids and back, with a way of tokenising in which no text can become a
// special token. Any thread.
#pragma once

#include <llama.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/text/token_trie.h"
#include "core/text/tokenizer.h"

namespace r1 {

class Vocab {
public:
    /** `model` must outlive the Vocab. Reads all special tokens once. */
    explicit Vocab(const llama_model * model);

    Vocab(const Vocab &) = delete;
    Vocab & operator=(const Vocab &) = delete;

    int32_t size() const { return size_; }
    const llama_vocab * handle() const { return vocab_; }
    bool contains(llama_token id) const { return id >= 0 && id < size_; }
    bool is_special(llama_token id) const {
        return contains(id) && special_[static_cast<std::size_t>(id)];
    }
    bool is_end_of_generation(llama_token id) const {
        return contains(id) && llama_vocab_is_eog(vocab_, id);
    }
    const std::vector<SpecialToken> & special_tokens() const { return special_tokens_; }
    /** Every token that ends a generation. */
    const std::vector<llama_token> & end_tokens() const { return end_tokens_; }

    /**
     * Bytes of the longest token: a text of n bytes has at least n / longest_token() tokens. 0
     * where that does not hold.
     */
    int longest_token() const;

    /** Ids of a text whose special strings become their ids. No BOS, no EOS. Throws Failure:
     * TextTooLong, InvalidArgument on a text that the vocabulary cannot write, ResourceExhausted.
     */
    std::vector<llama_token> tokenize_special(std::string_view text) const;

    /**
     * Ids of a text, none of which is control, user-defined or unknown. Without a special string in
     * the text they are llama.cpp's own. `parse_special = false` alone does not do this: llama.cpp
     * still matches user-defined tokens (llama-vocab.cpp, tokenizer_st_partition).
     */
    std::vector<llama_token> tokenize_safe(std::string_view text) const;

    /** Bytes of one token, special ones written out; half a character is possible. `id` must be in
     * the vocabulary. */
    std::string piece(llama_token id) const;

    /** The same without a copy, for looking at all tokens again and again. The table of all of them
     * is made at the first call. */
    std::string_view bytes(llama_token id) const;

    /**
     * All tokens by their bytes. Made at the first call, like the table, which takes some tens of
     * milliseconds for a large vocabulary: do not call it first on an engine thread.
     */
    const TokenTrie & trie() const;

    /** The token whose text this is as a whole, or -1. */
    llama_token single_token(std::string_view text) const;

    /** Bytes of many tokens. Throws Failure(InvalidArgument) on an id outside the vocabulary. */
    std::string detokenize(const llama_token * ids, std::size_t count) const;

private:
    std::vector<llama_token> tokenize(std::string_view text, bool parse_special) const;
    const std::vector<llama_token> & safe_ids(llama_token special) const;
    std::vector<llama_token> spell_out(llama_token special) const;
    void append_bytes(std::string_view text, std::vector<llama_token> & out) const;

    const llama_vocab * vocab_;
    int32_t size_;
    std::vector<SpecialToken> special_tokens_;
    std::vector<llama_token> end_tokens_;
    std::unique_ptr<const Tokenizer> tokenizer_;
    std::vector<bool> special_;
    std::vector<llama_token> byte_tokens_;  // 256 ids, LLAMA_TOKEN_NULL where there is none
    mutable std::once_flag table_made_;
    mutable std::string table_;                // bytes of all tokens, one after the other
    mutable std::vector<std::size_t> starts_;  // where each begins, and the end
    mutable std::once_flag trie_made_;
    mutable std::unique_ptr<const TokenTrie> trie_;
    mutable std::size_t longest_text_ = 0;  // of a token
    mutable std::mutex safe_mutex_;
    mutable std::unordered_map<llama_token, std::vector<llama_token>>
        safe_ids_;  // filled as texts need them: each costs a call of the tokeniser
};

}  // namespace r1

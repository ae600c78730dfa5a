// Tokenizer: converts any text to ids equal to llama.cpp's, with bounded stack and, with R1's
// vocabulary, in linear time. Any thread.
#pragma once

#include <llama.h>

#include <string_view>
#include <vector>

#include "core/text/special_texts.h"
#include "core/text/upstream_vocab.h"

namespace r1 {

/** Longest text that is tokenised at all. Unit: bytes. */
constexpr std::size_t max_text_bytes = 16u << 20;
/** The same for vocabularies whose words llama.cpp cuts by std::regex: each byte of the text takes
 * up to a KiB of stack there. */
constexpr std::size_t max_recursive_text_bytes = 1u << 20;

class Tokenizer {
public:
    /** `vocab` must outlive it; `specials` are all of its special tokens, in order of their ids. */
    Tokenizer(const llama_vocab * vocab, const std::vector<SpecialToken> & specials);

    /**
     * Ids of a text, without BOS and EOS. `parse_special` false leaves control tokens as text;
     * user-defined ones become their ids all the same, as in llama.cpp.
     * Throws Failure: TextTooLong, InvalidArgument for what the vocabulary cannot write,
     * ResourceExhausted.
     */
    std::vector<llama_token> tokenize(std::string_view text, bool parse_special) const;

    /**
     * Bytes of the longest token: a text of n bytes has at least n / longest_token() tokens. 0 for
     * kinds of vocabulary where that does not hold.
     */
    int longest_token() const;

private:
    std::vector<llama_token> by_pieces(std::string_view text, bool parse_special) const;
    std::vector<llama_token> of_plain_text(std::string_view text, bool parse_special) const;
    std::vector<llama_token> by_upstream(std::string_view text, bool parse_special) const;

    const llama_vocab * vocab_;
    UpstreamVocab upstream_;
    SpecialTexts specials_;
    bool has_own_words_;
    bool may_recurse_;
    bool is_cut_here_;  // special tokens are found by specials_
};

}  // namespace r1

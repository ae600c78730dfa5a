// SpecialTexts: cuts a text at its special tokens like llama.cpp (tokenizer_st_partition,
// llama-vocab.cpp), in one pass instead of one for each token. Any thread.
#pragma once

#include <llama.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace r1 {

/** A vocabulary entry that is no ordinary text. */
struct SpecialToken {
    llama_token id;
    std::string text;
    llama_token_attr attr;  // as llama.cpp marks it: CONTROL, USER_DEFINED or UNKNOWN is set
};

class SpecialTexts {
public:
    /** A piece of a text: the special token `id`, or text where it is LLAMA_TOKEN_NULL. */
    struct Piece {
        llama_token id;
        std::size_t start;
        std::size_t bytes;
    };

    /** `tokens`: all special ones of a vocabulary, in the order of their ids. */
    explicit SpecialTexts(const std::vector<SpecialToken> & tokens);

    /** Whether some token strips the white space beside it, which this class does not support. */
    bool strips() const { return strips_; }

    /** The pieces of a text. `parse_special` false: control and unknown tokens are plain text.
     * Throws Failure(TextTooLong) where a file's tokens make this take too long. */
    std::vector<Piece> cut(std::string_view text, bool parse_special) const;

private:
    /** A state of the trie of all texts. */
    struct Node {
        std::vector<std::pair<unsigned char, std::uint32_t>> next;
        std::vector<std::uint32_t> ends;  // places in tokens_ of the texts that end here
    };

    std::vector<SpecialToken> tokens_;  // in upstream's order: longest first
    std::vector<Node> nodes_;
    std::array<bool, 256> begins_{};
    bool strips_ = false;
};

}  // namespace r1

// UpstreamVocab: the few facts of llama.cpp's vocabulary that llama.h does not provide, in one file
// (docs/decisions/pretokenizer.md). Any thread.
#pragma once

#include <llama.h>

#include <cstdint>
#include <string>

namespace r1 {

class UpstreamVocab {
public:
    /** `vocab` must outlive it. */
    explicit UpstreamVocab(const llama_vocab * vocab) : vocab_(vocab) {}

    /** Byte-level BPE whose words are cut by the three patterns of R1 (`deepseek-v3`). */
    bool has_r1_words() const;

    /**
     * A kind whose words llama.cpp cuts with std::regex, which recurses once for each character, or
     * for which this is unknown. False for those with hand-written splitters.
     */
    bool may_recurse() const;

    /** Rank of a merge; lower ones come first. -1: the two are not merged. */
    int merge_rank(const std::string & left, const std::string & right) const;

    /** Id of a token by its text in the file, or LLAMA_TOKEN_NULL. */
    llama_token token_of(const std::string & text) const;

    /** Whether a word that is a token is taken whole, whatever the merges say. */
    bool ignores_merges() const;

    /** Length of the longest token, in bytes of its text in the file. */
    int longest_token() const;

private:
    const llama_vocab * vocab_;
};

/** What llama.cpp's splitter sees of a character beyond ASCII. */
struct CharacterKind {
    bool is_whitespace;
    bool is_number;
    bool is_letter;
    bool is_mark;
    bool is_punctuation;
    bool is_symbol;
};

CharacterKind kind_of(std::uint32_t code_point);

}  // namespace r1

// Reads llama.cpp's GBNF into a tree. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/vocab.h"

namespace r1 {

/** Code points from first to second. */
using CodeRange = std::pair<uint32_t, uint32_t>;

constexpr uint32_t last_code_point = 0x10FFFF;
constexpr uint32_t no_limit = UINT32_MAX;

/** A piece of a grammar. */
struct GrammarNode {
    enum class Kind : uint8_t { Text, Characters, Token, Rule, Sequence, Choice, Repeat };
    Kind kind = Kind::Sequence;
    std::string text;               // Text, in UTF-8
    std::vector<CodeRange> ranges;  // Characters
    bool negated = false;           // Characters: all others. Token: any other
    int32_t id = 0;                 // Token: its id. Rule: its number
    uint32_t min = 0;               // Repeat
    uint32_t max = 0;
    std::vector<GrammarNode> nodes;  // Sequence, Choice; Repeat: what is repeated
};

/** Rules by number. */
struct GrammarTree {
    std::vector<GrammarNode> rules;
    int32_t root = 0;
};

/** Throws Failure(GrammarInvalid) with line and column of the first mistake; also when `root` or a
 * rule that is used is missing. */
GrammarTree parse_grammar(const std::string & source, const Vocab & vocab);

}  // namespace r1

// GrammarProgram: a grammar as steps over bytes, made of llama.cpp's GBNF. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/vocab.h"

namespace r1 {

/** One step. Ways through a program read a text byte by byte, so that half a character at the end
 * of a token needs no care of its own. */
struct GrammarStep {
    enum class Kind : uint8_t {
        Return,    // the end of a rule
        Byte,      // one byte from `low` to `high`
        Token,     // the whole token `other`
        NotToken,  // any whole token but `other`
        Fork,      // goes on at `next` and at `other`
        Call,      // goes through rule `other`, then on at `next`
    };
    Kind kind = Kind::Return;
    uint8_t low = 0;
    uint8_t high = 0;
    int32_t next = 0;
    int32_t other = 0;
};

/** Steps, of which the first is the one `Return`, and where each rule begins. */
struct GrammarProgram {
    std::vector<GrammarStep> steps;
    std::vector<int32_t> rules;
    int32_t root = 0;  // the rule `root`
};

/** Throws Failure(GrammarInvalid) on what is no GBNF, uses a rule that is not there, has no `root`,
 * or grows beyond all use. */
GrammarProgram compile_grammar(const std::string & source, const Vocab & vocab);

}  // namespace r1

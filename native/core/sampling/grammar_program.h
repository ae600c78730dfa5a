// GrammarProgram: a grammar as steps over bytes, with the results of their analysis. Pure data; any
// thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/text/vocab.h"

namespace r1 {

/** One step. A text is matched byte by byte, so half a character at the end of a token needs no
 * special case. */
struct GrammarStep {
    enum class Kind : uint8_t {
        Return,    // the end of a rule
        Byte,      // one byte from `low` to `high`; none if `low` is above `high`
        Token,     // the whole token `other`
        NotToken,  // any whole token but `other`
        Fork,      // continues at `next` and at `other`
        Call,      // goes through rule `other`, then continues at `next`
        Repeat,    // goes through a rule as often as repeat `other` says, then continues at `next`
        Jump,      // continues at `next`; only while a program is built
    };
    Kind kind = Kind::Return;
    uint8_t low = 0;
    uint8_t high = 0;
    bool productive = false;  // some text leads from here to the end of the rule
    int32_t next = 0;
    int32_t other = 0;
};

constexpr uint32_t no_limit = UINT32_MAX;

/** A counted repetition. */
struct GrammarRepeat {
    int32_t rule = 0;  // what is repeated
    uint32_t min = 0;
    uint32_t max = no_limit;
    bool nullable = false;  // one repetition may be empty
};

/** A rule; repeated parts are rules without a name. */
struct GrammarRule {
    int32_t start = -1;  // -1 while it is not defined
    std::string name;
    std::size_t place = 0;  // where the source defines it, or first uses it
    bool nullable = false;
};

/** Steps, of which the first is the one `Return`. */
struct GrammarProgram {
    std::vector<GrammarStep> steps;
    std::vector<GrammarRule> rules;
    std::vector<GrammarRepeat> repeats;
    int32_t root = 0;

    std::size_t bytes() const {
        return steps.capacity() * sizeof(GrammarStep) + rules.capacity() * sizeof(GrammarRule) +
               repeats.capacity() * sizeof(GrammarRepeat);
    }
};

/** When compiling must end. */
struct CompileLimits {
    const std::atomic<bool> * cancelled = nullptr;  // may be nullptr
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

/**
 * Reads llama.cpp's GBNF. Throws Failure: GrammarInvalid with line and column (no GBNF, a rule that
 * is used but not defined, no `root`, left recursion, no text at all, too large, too slow),
 * Aborted.
 */
GrammarProgram compile_grammar(const std::string & source, const Vocab & vocab,
                               const CompileLimits & limits);

/**
 * Removes jumps and analyses steps and rules. `source` is for errors' places. Throws
 * Failure(GrammarInvalid) for left recursion and for a `root` that never ends.
 */
void finish_program(GrammarProgram & program, const std::string & source);

/** "line 3, column 7" of a byte of the source; columns count characters. */
std::string place_in(const std::string & source, std::size_t at);

}  // namespace r1

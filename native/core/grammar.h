// Grammar: where a generated text stands in a grammar, and which tokens may come next. Bounded in
// time and memory whatever the grammar is. Engine thread only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/grammar_program.h"
#include "core/vocab.h"

namespace r1 {

/**
 * Reads a text byte by byte along all ways through the program at once. A way is a step and the
 * calls it has to come back from; equal ways are one, and sets of ways that were met before are
 * known, with where each byte leads from them: most bytes cost one look-up.
 *
 * llama.cpp's own grammar sampler allows the same tokens, but follows every way apart and without a
 * limit: on a token that an ambiguous grammar rejects their number doubles with each letter
 * (docs/decisions/grammar.md).
 */
class Grammar {
public:
    /** Throws Failure(GrammarInvalid) as compile_grammar, and for a left recursion. */
    Grammar(const Vocab & vocab, const std::string & source);
    Grammar(const Grammar &) = delete;
    Grammar & operator=(const Grammar &) = delete;

    /** Whether the text may end here. */
    bool is_complete() const { return states_[current_]->complete; }

    /** Whether a token that does not end the generation may come next. Throws
     * Failure(GrammarInvalid) when that takes too long to find out. */
    bool allows(llama_token token);

    /** Goes on by a token that is allowed. */
    void accept(llama_token token);

    /** Starts to count anew how much work is done: call it once for each choice of a token. */
    void begin_choice();

private:
    /** Steps that wait for a byte or a token, each with its calls: (step, frame). */
    using Ways = std::vector<uint64_t>;

    struct State {
        Ways ways;
        bool complete = false;
        bool has_tokens = false;
        std::array<int32_t, 256> after{};
    };
    struct Frame {
        int32_t step;
        int32_t below;
    };
    struct WaysHash {
        std::size_t operator()(const Ways & ways) const;
    };

    int32_t enter(Ways todo);
    int32_t follow(int32_t state, uint8_t byte);
    int32_t walk(llama_token token);
    int32_t frame(int32_t step, int32_t below);
    bool matches(uint64_t way, llama_token token) const;
    void forget();

    const Vocab & vocab_;
    GrammarProgram program_;
    std::vector<Frame> frames_;
    std::unordered_map<uint64_t, int32_t> frame_ids_;
    std::vector<std::unique_ptr<State>> states_;
    std::unordered_map<Ways, int32_t, WaysHash> state_ids_;
    std::unordered_set<uint64_t> seen_;
    std::size_t current_ = 0;
    std::size_t work_ = 0;
};

}  // namespace r1

// DraftPace: how many tokens of a request to guess now, by how often its guesses held and by what
// the rows of a step cost. One owner, no lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/backend/step_cost.h"

namespace r1 {

class DraftPace {
public:
    enum class Source {
        Ngram,  // every token shows whether its guess would have held, so guesses that are not made
                // cost nothing and teach all the same
        Model,  // only a guess that was made teaches: after a rest it is tried again
    };

    /** The step as it is planned so far. */
    struct Step {
        std::size_t rows;     // this request's own token among them
        double tokens;        // that are to be expected of it
        double guess_ms = 0;  // to make one guess
    };

    /** `longest`: most tokens to guess at once; 0: never guess. */
    DraftPace(Source source, int32_t longest) : source_(source), longest_(longest) {}

    /**
     * Tokens to guess now, at most `most`, which are added to `step`; 0: it would not pay. `match`:
     * tokens that agree before the guess, 0 where a model guesses. Counts down a rest. `cost` knows
     * the step without guesses.
     */
    std::size_t next(const StepCost & cost, Step & step, std::size_t match, std::size_t most);

    /** Records whether the first guess after a match of `match` tokens held, or would have. */
    void observe(std::size_t match, bool held);

    /**
     * Marks the observations so far as the prompt's. Its text may differ from the reply's, so they
     * count less than later ones.
     */
    void end_prompt();

    /** Records the result of a draft model's guesses: `accepted` of `drafted` held. */
    void report(std::size_t drafted, std::size_t accepted);

private:
    struct Record {
        double held;
        double failed;
        double share() const { return held / (held + failed); }
        void limit(double total);
    };
    // The longer the text before a guess agrees, the likelier the guess holds: less than 16 tokens,
    // less than 32, less than 64, more; and what a model guesses.
    static constexpr std::array<Record, 5> nothing_known{{{1, 1}, {2, 1}, {3, 1}, {4, 1}, {4, 1}}};
    static constexpr std::size_t of_model = 4;
    static constexpr int32_t first_rest = 16;
    static constexpr int32_t longest_rest = 512;

    static std::size_t record_of(std::size_t match);
    double expected(std::size_t match, std::size_t length) const;
    std::size_t choose(const StepCost & cost, const Step & step, std::size_t match,
                       std::size_t most);
    std::size_t best_length(const StepCost & cost, const Step & step, std::size_t match,
                            std::size_t most) const;

    Source source_;
    int32_t longest_;
    std::array<Record, 5> records_ = nothing_known;
    int32_t rest_ = 0;  // steps still to be left out
    int32_t next_rest_ = first_rest;
};

}  // namespace r1

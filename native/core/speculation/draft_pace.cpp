// DraftPace: how many tokens of a request to guess now. Engine thread only.
#include "core/speculation/draft_pace.h"

#include <algorithm>

namespace r1 {
namespace {

// Lengths to choose from. With the token before them they make 2, 4, 8, ... rows, which a CPU's
// repacked kernels process at once; each remaining row costs as much as a single one.
constexpr std::array<std::size_t, 6> lengths{1, 3, 7, 15, 31, 63};
// Minimum expected gain over the step without a guess: the chosen figures tend to be too
// optimistic, and a smaller expected gain is no gain.
constexpr double least_gain = 1.1;
// How much of the past counts, in tokens: of this reply, and of its prompt.
constexpr double remembered = 32;
constexpr double remembered_of_prompt = 16;
// A draft model's first guess after a rest.
constexpr std::size_t trial = 3;

}  // namespace

void DraftPace::Record::limit(double total) {
    if (held + failed > total) {
        const double scale = total / (held + failed);
        held *= scale;
        failed *= scale;
    }
}

std::size_t DraftPace::record_of(std::size_t match) {
    return match == 0 ? of_model : match < 16 ? 0 : match < 32 ? 1 : match < 64 ? 2 : 3;
}

// Tokens that a guess of `length` yields, the one after the guesses that held included.
double DraftPace::expected(std::size_t match, std::size_t length) const {
    double tokens = 1;
    double all_held = 1;
    for (std::size_t i = 0; i < length; ++i) {
        all_held *= records_[record_of(match == 0 ? 0 : match + i)].share();
        tokens += all_held;
    }
    return tokens;
}

std::size_t DraftPace::best_length(const StepCost & cost, const Step & step, std::size_t match,
                                   std::size_t most) const {
    double best = least_gain * step.tokens / (cost.of(step.rows) + cost.change_to(step.rows));
    std::size_t chosen = 0;
    const auto weigh = [&](std::size_t length) {
        const double tokens = step.tokens - 1 + expected(match, length);
        // There, and back again one day.
        const double changes = cost.change_to(step.rows + length) + cost.change();
        const double rate = tokens / (cost.of(step.rows + length) + changes +
                                      static_cast<double>(length) * step.guess_ms);
        if (rate > best) {
            best = rate;
            chosen = length;
        }
    };
    for (const std::size_t length : lengths) {
        if (length < most) {
            weigh(length);
        }
    }
    weigh(most);
    return chosen;
}

std::size_t DraftPace::next(const StepCost & cost, Step & step, std::size_t match,
                            std::size_t most) {
    const std::size_t length =
        choose(cost, step, match, std::min(most, static_cast<std::size_t>(std::max(longest_, 0))));
    step.rows += length;
    step.tokens += expected(match, length) - 1;
    return length;
}

std::size_t DraftPace::choose(const StepCost & cost, const Step & step, std::size_t match,
                              std::size_t most) {
    if (most == 0 || (source_ == Source::Ngram && match == 0)) {
        return 0;
    }
    if (source_ == Source::Ngram) {
        return best_length(cost, step, match, most);
    }
    if (rest_ > 0) {
        if (--rest_ > 0) {
            return 0;
        }
        records_[of_model] = nothing_known[of_model];
        return std::min(trial, most);
    }
    const std::size_t length = best_length(cost, step, 0, most);
    if (length == 0) {
        rest_ = next_rest_;
        next_rest_ = std::min(next_rest_ * 2, longest_rest);
    }
    return length;
}

void DraftPace::observe(std::size_t match, bool held) {
    Record & record = records_[record_of(match)];
    (held ? record.held : record.failed) += 1;
    record.limit(remembered);
}

void DraftPace::end_prompt() {
    for (Record & record : records_) {
        record.limit(remembered_of_prompt);
    }
}

void DraftPace::report(std::size_t drafted, std::size_t accepted) {
    if (source_ != Source::Model || drafted == 0) {
        return;
    }
    for (std::size_t i = 0; i < accepted; ++i) {
        observe(0, true);
    }
    if (accepted < drafted) {
        observe(0, false);
    } else {
        next_rest_ = first_rest;
    }
}

}  // namespace r1

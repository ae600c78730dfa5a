// Claims about PromptPace: prompts share full steps until small ones are known to be as good.
#include "core/engine/prompt_pace.h"

#include "test/check.h"

namespace {

using r1::PromptPace;

// Steps of these rows on a machine where a step costs `fixed` and each row `row` milliseconds.
void measure(PromptPace & pace, std::initializer_list<std::size_t> rows, double fixed, double row) {
    for (const std::size_t each : rows) {
        pace.report(each, fixed + row * static_cast<double>(each));
    }
}

R1_TEST("prompt pace: unknown costs, or only those of small steps, mean full steps") {
    PromptPace pace(512);
    CHECK_EQUAL(pace.rows(), std::size_t{512});
    measure(pace, {20, 40, 120}, 0, 1);
    CHECK_EQUAL(pace.rows(), std::size_t{512});
}

R1_TEST("prompt pace: where rows cost the same in small steps, prompts take turns") {
    PromptPace pace(512);
    measure(pace, {20, 500}, 1, 1);
    CHECK_EQUAL(pace.rows(), std::size_t{32});
}

R1_TEST("prompt pace: where a step costs much by itself, prompts share it") {
    PromptPace pace(512);
    measure(pace, {20, 60, 120, 250, 500}, 100, 0.1);
    CHECK_EQUAL(pace.rows(), std::size_t{512});
    measure(pace, {700}, 100, 0.1);
    CHECK_EQUAL(pace.rows(), std::size_t{512});
}

R1_TEST("prompt pace: in between, the smallest step that costs little more") {
    PromptPace pace(512);
    measure(pace, {20, 60, 120, 250, 500}, 15, 1);
    CHECK_EQUAL(pace.rows(), std::size_t{128});
}

R1_TEST("prompt pace: the cost of full steps is forgotten in time and measured again") {
    PromptPace pace(512);
    measure(pace, {20, 500}, 0, 1);
    for (int i = 0; i < 300; ++i) measure(pace, {20}, 0, 1);
    CHECK_EQUAL(pace.rows(), std::size_t{512});
}

R1_TEST("prompt pace: a small chunk has one size, and full() learns nothing") {
    PromptPace small(16);
    measure(small, {4, 16}, 0, 1);
    CHECK_EQUAL(small.rows(), std::size_t{16});
    PromptPace full = PromptPace::full(512);
    measure(full, {20, 500}, 0, 1);
    CHECK_EQUAL(full.rows(), std::size_t{512});
}

}  // namespace

// Claims about StepCost and DraftPace: guesses are made where rows are cheap enough for how often
// they hold, and nowhere else.
#include "core/speculation/draft_pace.h"

#include "test/check.h"

namespace {

using namespace r1;

// A machine whose steps take `first` for one row and `more` for each further one.
StepCost machine(double first, double more) {
    StepCost cost;
    for (std::size_t rows = 1; rows <= 64; rows *= 2) {
        cost.report(rows, first + more * static_cast<double>(rows - 1));
    }
    return cost;
}

// Of a request whose text was a copy so far.
DraftPace copying(int32_t longest) {
    DraftPace pace(DraftPace::Source::Ngram, longest);
    for (int i = 0; i < 250; ++i) {
        pace.observe(64, true);
    }
    return pace;
}

// What a text of which `share` of the guesses holds takes with guesses, in steps of one row for
// each token.
double pace_of(const StepCost & cost, double share, std::size_t tokens, std::size_t match,
               DraftPace pace) {
    test::Dice dice(7);
    const auto holds = [&] { return static_cast<double>(dice.below(1000)) < share * 1000; };
    double spent = 0;
    std::size_t made = 0;
    while (made < tokens) {
        DraftPace::Step step{1, 1, 0};
        const std::size_t length = pace.next(cost, step, match, tokens - made);
        CHECK_EQUAL(step.rows, 1 + length);
        spent += cost.of(step.rows);
        std::size_t accepted = 0;
        bool held = true;
        while (held && accepted <= length) {
            held = holds();
            if (match > 0) {
                pace.observe(match, held);
            }
            accepted += held ? 1 : 0;
            ++made;
        }
        pace.report(length, std::min(accepted, length));
    }
    return spent / cost.of(1) / static_cast<double>(made);
}

R1_TEST(
    "step cost: the median of the last five, a straight line between, hope above, and nothing "
    "known below") {
    StepCost cost;
    CHECK(!cost.knows(1));
    for (const double ms : {50.0, 10.0, 11.0, 900.0, 12.0, 10.0, 11.0}) {
        cost.report(1, ms);
    }
    CHECK_EQUAL(cost.of(1), 11.0);
    CHECK(cost.knows(1) && !cost.knows(2));
    CHECK(cost.of(16) > cost.of(1) && cost.of(16) < 8 * cost.of(1));
    cost.report(9, 91);
    CHECK_EQUAL(cost.of(5), 51.0);
    CHECK(cost.knows(5) && !cost.knows(10));
    StepCost large;
    large.report(8, 1);
    CHECK(!large.knows(1));
}

R1_TEST(
    "step cost: what a change of rows takes is told apart from what the rows take, and is "
    "weighed") {
    StepCost cost;
    for (int i = 0; i < 60; ++i) {
        const std::size_t rows = i % 6 == 5 ? 8 : 1;
        cost.report(rows, (rows == 1 ? 10.0 : 20.0) + (i % 6 == 5 || i % 6 == 0 ? 7.0 : 0.0));
    }
    CHECK_EQUAL(cost.of(1), 10.0);
    CHECK(cost.change() > 5 && cost.change() < 9);
    CHECK(cost.of(8) > 17 && cost.of(8) < 25);
    CHECK_EQUAL(cost.change_to(8), 0.0);
    CHECK_EQUAL(cost.change_to(1), cost.change());
    CHECK_EQUAL(StepCost::typical().change(), 0.0);
    // Two tokens instead of one do not make up for two changes where a step takes hardly longer
    // than a change.
    StepCost small;
    for (int i = 0; i < 60; ++i) {
        small.report(i % 3 == 2 ? 2 : 1, i % 3 == 1 ? 1.0 : 2.0);
    }
    small.report(1, 2);
    DraftPace::Step step{1, 1, 0};
    CHECK_EQUAL(copying(1).next(small, step, 64, 1), std::size_t{0});
}

R1_TEST(
    "step cost: a figure is forgotten when it has not been seen for long, and a fixed one never "
    "changes") {
    StepCost cost;
    cost.report(16, 1000);
    for (int i = 0; i < 500; ++i) {
        cost.report(1, 1);
    }
    CHECK_EQUAL(cost.of(16), 1000.0);
    for (int i = 0; i < 20; ++i) {
        cost.report(1, 1);
    }
    CHECK(cost.of(16) < 10);
    StepCost fixed = StepCost::typical();
    const double before = fixed.of(8);
    fixed.report(8, 1000);
    fixed.report(1, 1000);
    CHECK_EQUAL(fixed.of(8), before);
    CHECK(fixed.knows(1) && fixed.knows(64) && fixed.of(1) == 1);
}

R1_TEST(
    "draft pace: never guesses at 0, nor more than asked for, than the longest, or than is "
    "wanted") {
    const StepCost cheap = machine(10, 0.01);
    DraftPace::Step step{1, 1, 0};
    CHECK_EQUAL(DraftPace(DraftPace::Source::Ngram, 0).next(cheap, step, 64, 16), std::size_t{0});
    CHECK_EQUAL(DraftPace(DraftPace::Source::Ngram, 16).next(cheap, step, 0, 16), std::size_t{0});
    for (const std::size_t most : {0, 1, 2, 5, 16, 40}) {
        DraftPace::Step alone{1, 1, 0};
        CHECK_EQUAL(copying(16).next(cheap, alone, 64, most), std::min<std::size_t>(most, 16));
        CHECK(most == 0 || alone.tokens > 1);
    }
}

R1_TEST(
    "draft pace: text that copies gets fast, and text that does not loses next to nothing, on "
    "cheap rows and on dear ones, by n-grams and by a model") {
    struct Case {
        double more, share, least, most;
    };
    // The cost of a further row beside a first of 10; how many guesses hold; what a token may take,
    // in steps of one row.
    const Case cases[] = {{0.2, 1.0, 0.0, 0.2},  {0.2, 0.8, 0.0, 0.45}, {5, 1.0, 0.0, 0.7},
                          {6.2, 1.0, 0.0, 0.75}, {0.2, 0.0, 0.9, 1.03}, {6.2, 0.0, 0.9, 1.03}};
    for (const Case & at : cases) {
        const StepCost cost = machine(10, at.more);
        for (const std::size_t match : {std::size_t{10}, std::size_t{64}}) {
            const double took =
                pace_of(cost, at.share, 1000, match, DraftPace(DraftPace::Source::Ngram, 31));
            CHECK(took >= at.least && took <= at.most);
        }
        const double by_model =
            pace_of(cost, at.share, 1000, 0, DraftPace(DraftPace::Source::Model, 31));
        CHECK(by_model >= at.least && by_model <= at.most + 0.05);
    }
    // Guesses that mostly hold and rows that cost all the same: better left alone.
    CHECK(pace_of(machine(10, 6.2), 0.8, 1000, 20, DraftPace(DraftPace::Source::Ngram, 31)) < 1.05);
    CHECK(pace_of(machine(10, 10), 1.0, 1000, 64, DraftPace(DraftPace::Source::Ngram, 31)) == 1.0);
}

R1_TEST(
    "draft pace: a prompt that copies starts guesses at once, and a reply that does not ends them "
    "soon") {
    const StepCost cost = machine(10, 6);
    DraftPace pace = copying(15);
    pace.end_prompt();
    DraftPace::Step step{1, 1, 0};
    CHECK_EQUAL(pace.next(cost, step, 64, 64), std::size_t{15});
    double lost = 0;  // in steps of one row
    for (std::size_t length = 15; length > 0 && lost < 1000;) {
        lost += cost.of(1 + length) / cost.of(1) - 1;
        pace.observe(64, false);
        DraftPace::Step next{1, 1, 0};
        length = pace.next(cost, next, 64, 64);
    }
    CHECK(lost < 20);
}

R1_TEST("draft pace: a draft model's own time counts") {
    const StepCost cost = machine(10, 0.1);
    DraftPace pace(DraftPace::Source::Model, 7);
    DraftPace::Step cheap{1, 1, 0.5};
    DraftPace::Step dear{1, 1, 20};
    CHECK(pace.next(cost, cheap, 0, 7) > 0);
    CHECK_EQUAL(pace.next(cost, dear, 0, 7), std::size_t{0});
}

R1_TEST(
    "draft pace: rows of other sequences are weighed too, since a step that is full gains nothing "
    "by more") {
    StepCost cost;
    cost.report(1, 10);
    cost.report(8, 12);
    cost.report(16, 100);
    DraftPace pace = copying(7);
    DraftPace::Step alone{1, 1, 0};
    CHECK_EQUAL(pace.next(cost, alone, 64, 7), std::size_t{7});
    DraftPace::Step full{8, 8, 0};
    CHECK_EQUAL(pace.next(cost, full, 64, 7), std::size_t{0});
}

}  // namespace

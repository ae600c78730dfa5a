// StepCost: what a decode step takes by the rows in it, as seen lately; what guessing ahead is
// weighed with. One owner, no lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace r1 {

class StepCost {
public:
    /** Learns from report(). */
    StepCost() = default;

    /** Rows of a step, and what it takes. */
    using Table = std::vector<std::pair<std::size_t, double>>;

    /** Learns nothing, so that no clock has a say in the shape of a batch. `table` is not empty. */
    static StepCost fixed(const Table & table);
    /** The costs of one machine, in steps of one row. */
    static StepCost typical();

    /** Tells that a step of `rows` rows took `milliseconds`. Steps that also take in prompts are
     * not to be told. */
    void report(std::size_t rows, double milliseconds);

    /** Whether steps of `rows`, or of fewer and of more, were seen: what is asked of more rows is
     * measured against this. */
    bool knows(std::size_t rows) const;

    /** Milliseconds of a step of `rows`, in between as a straight line has it. Above what was seen:
     * a hopeful figure, so that it is tried. Needs one report. */
    double of(std::size_t rows) const;

    /** Milliseconds on top where a step has other rows than the last one: llama.cpp makes a new
     * graph, which a small model feels. */
    double change() const { return change_.count > 0 ? change_.median() : 0; }
    double change_to(std::size_t rows) const { return rows == last_rows_ ? 0 : change(); }

private:
    // The median of a few: one step that another program held up decides nothing.
    static constexpr std::size_t kept = 5;
    // Steps after which a figure is forgotten: one taken in a bad moment would else never be taken
    // again.
    static constexpr uint64_t lifetime = 512;
    // Above what was seen, what each further row takes of a row's share.
    static constexpr double hope = 0.2;

    struct Seen {
        std::array<double, kept> last{};
        std::size_t count = 0;
        uint64_t step = 0;
        bool again = false;  // in `last` are steps that came after one of as many rows
        double median() const;
        void add(double value) { last[count++ % kept] = value; }
    };

    bool learns_ = true;
    uint64_t steps_ = 0;
    std::size_t last_rows_ = 0;
    std::map<std::size_t, Seen> seen_;
    Seen change_;
};

}  // namespace r1

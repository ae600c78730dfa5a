// GrammarBuilder: makes the steps of a grammar, fragment by fragment. Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/failure.h"
#include "core/sampling/grammar_program.h"
#include "core/sampling/utf8_runs.h"

namespace r1 {

/** Steps with one way in and one way out. */
struct GrammarFragment {
    int32_t start = 0;
    int32_t end = 0;  // a Jump that leads nowhere yet
};

class GrammarBuilder {
public:
    using Kind = GrammarStep::Kind;
    static constexpr std::size_t max_steps = 4'000'000;  // 16 bytes each

    GrammarBuilder() { add({}); }  // the one Return

    GrammarProgram program;

    int32_t add(const GrammarStep & step) {
        if (program.steps.size() >= max_steps)
            throw Failure(ErrorCode::GrammarInvalid, "The grammar is too large: it has more than " +
                                                         std::to_string(max_steps) +
                                                         " steps. Shorten it.");
        program.steps.push_back(step);
        return static_cast<int32_t>(program.steps.size()) - 1;
    }
    int32_t jump() { return add({Kind::Jump, 0, 0, false, 0, 0}); }
    int32_t fork(int32_t one, int32_t other) { return add({Kind::Fork, 0, 0, false, one, other}); }
    int32_t byte(ByteRange range, int32_t next) {
        return add({Kind::Byte, range.first, range.second, false, next, 0});
    }
    void lead(int32_t from, int32_t to) { program.steps[static_cast<std::size_t>(from)].next = to; }

    GrammarFragment empty() {
        const int32_t end = jump();
        return {end, end};
    }

    /** One step of a kind, then on. */
    GrammarFragment single(Kind kind, int32_t other) {
        const int32_t end = jump();
        return {add({kind, 0, 0, false, end, other}), end};
    }

    void append(GrammarFragment & fragment, const GrammarFragment & next) {
        lead(fragment.end, next.start);
        fragment.end = next.end;
    }

    /** One character out of some ranges. */
    GrammarFragment characters(const std::vector<CodeRange> & ranges) {
        const int32_t end = jump();
        Utf8Runs made;
        for (const auto & [low, high] : ranges) made.add(low, high);
        if (made.runs.empty()) return {byte({1, 0}, end), end};
        // Ends that runs share are made once.
        std::map<std::tuple<uint8_t, uint8_t, int32_t>, int32_t> known;
        int32_t start = -1;
        for (const std::vector<ByteRange> & run : made.runs) {
            int32_t at = end;
            for (auto range = run.rbegin(); range != run.rend(); ++range) {
                const auto [found, is_new] =
                    known.try_emplace({range->first, range->second, at}, 0);
                if (is_new) found->second = byte(*range, at);
                at = found->second;
            }
            start = start < 0 ? at : fork(at, start);
        }
        return {start, end};
    }

    /** A fragment `min` to `max` times. */
    GrammarFragment counted(const GrammarFragment & body, uint32_t min, uint32_t max) {
        const auto rule = static_cast<int32_t>(program.rules.size());
        program.rules.push_back({body.start, "", 0, false});
        lead(body.end, 0);
        program.repeats.push_back({rule, min, max, false});
        return single(Kind::Repeat, static_cast<int32_t>(program.repeats.size()) - 1);
    }
};

}  // namespace r1

// GrammarProgram: a grammar as steps over bytes, made of llama.cpp's GBNF. Pure; any thread.
#include "core/grammar_program.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "core/failure.h"
#include "core/grammar_parse.h"

namespace r1 {
namespace {

using Kind = GrammarNode::Kind;
using StepKind = GrammarStep::Kind;

constexpr std::size_t most_steps = 2'000'000;
constexpr int32_t return_step = 0;

using ByteRange = std::pair<uint8_t, uint8_t>;

/** Code points of one length in UTF-8 as runs of byte ranges. */
class Utf8Runs {
public:
    std::vector<std::vector<ByteRange>> runs;

    void add(uint32_t low, uint32_t high) {
        // Lengths change at these, and halves of surrogate pairs are no characters.
        constexpr std::array<CodeRange, 5> parts = {{{0, 0x7F},
                                                     {0x80, 0x7FF},
                                                     {0x800, 0xD7FF},
                                                     {0xE000, 0xFFFF},
                                                     {0x10000, last_code_point}}};
        for (const auto & [first, last] : parts) {
            const uint32_t from = std::max(low, first);
            const uint32_t to = std::min(high, last);
            if (from <= to) split(from, to);
        }
    }

private:
    void split(uint32_t low, uint32_t high) {
        const int more = low < 0x80 ? 0 : low < 0x800 ? 1 : low < 0x10000 ? 2 : 3;
        for (int i = 1; i <= more; ++i) {
            const uint32_t mask = (1U << (6 * i)) - 1;
            if ((low & ~mask) == (high & ~mask)) continue;
            if ((low & mask) != 0) {
                split(low, low | mask);
                split((low | mask) + 1, high);
                return;
            }
            if ((high & mask) != mask) {
                split(low, (high & ~mask) - 1);
                split(high & ~mask, high);
                return;
            }
        }
        std::vector<ByteRange> run(static_cast<std::size_t>(more) + 1);
        for (int i = more; i >= 0; --i) {
            const uint32_t mark = i > 0       ? 0x80U
                                  : more == 0 ? 0U
                                  : more == 1 ? 0xC0U
                                  : more == 2 ? 0xE0U
                                              : 0xF0U;
            const uint32_t bits = i > 0 || more == 0 ? 0x7FU : 0x3FU >> more;
            const uint32_t shift = 6U * static_cast<uint32_t>(more - i);
            const uint32_t low_bits = i > 0 ? (low >> shift) & 0x3F : (low >> shift) & bits;
            const uint32_t high_bits = i > 0 ? (high >> shift) & 0x3F : (high >> shift) & bits;
            run[static_cast<std::size_t>(i)] = {static_cast<uint8_t>(mark | low_bits),
                                                static_cast<uint8_t>(mark | high_bits)};
        }
        runs.push_back(std::move(run));
    }
};

std::vector<CodeRange> inverted(std::vector<CodeRange> ranges) {
    std::sort(ranges.begin(), ranges.end());
    std::vector<CodeRange> gaps;
    uint32_t next = 0;
    for (const auto & [from, to] : ranges) {
        if (from > next) gaps.emplace_back(next, from - 1);
        next = std::max(next, to + 1);
    }
    if (next <= last_code_point) gaps.emplace_back(next, last_code_point);
    return gaps;
}

/** Makes steps from their ends backward: each node knows where to go on. */
class Compiler {
public:
    GrammarProgram compile(const GrammarTree & tree) {
        add({});  // return_step
        program_.rules.assign(tree.rules.size(), return_step);
        for (std::size_t i = 0; i < tree.rules.size(); ++i) {
            const int32_t start = node(tree.rules[i], return_step);
            program_.rules[i] = start;
        }
        program_.root = tree.root;
        return std::move(program_);
    }

private:
    int32_t add(const GrammarStep & step) {
        if (program_.steps.size() >= most_steps)
            throw Failure(ErrorCode::GrammarInvalid,
                          "The grammar grows too large when its repetitions are written out.");
        program_.steps.push_back(step);
        return static_cast<int32_t>(program_.steps.size()) - 1;
    }

    int32_t byte(ByteRange range, int32_t next) {
        return add({StepKind::Byte, range.first, range.second, next, 0});
    }
    int32_t fork(int32_t one, int32_t other) {
        return one == other ? one : add({StepKind::Fork, 0, 0, one, other});
    }

    int32_t node(const GrammarNode & tree, int32_t next) {
        switch (tree.kind) {
            case Kind::Text:
                for (auto c = tree.text.rbegin(); c != tree.text.rend(); ++c)
                    next = byte({static_cast<uint8_t>(*c), static_cast<uint8_t>(*c)}, next);
                return next;
            case Kind::Characters: return characters(tree, next);
            case Kind::Token:
                return add(
                    {tree.negated ? StepKind::NotToken : StepKind::Token, 0, 0, next, tree.id});
            case Kind::Rule: return add({StepKind::Call, 0, 0, next, tree.id});
            case Kind::Sequence:
                for (auto each = tree.nodes.rbegin(); each != tree.nodes.rend(); ++each)
                    next = node(*each, next);
                return next;
            case Kind::Choice: {
                int32_t start = node(tree.nodes.back(), next);
                for (auto each = tree.nodes.rbegin() + 1; each != tree.nodes.rend(); ++each)
                    start = fork(node(*each, next), start);
                return start;
            }
            case Kind::Repeat: return repeat(tree, next);
        }
        return next;
    }

    int32_t characters(const GrammarNode & tree, int32_t next) {
        Utf8Runs made;
        for (const auto & [low, high] : tree.negated ? inverted(tree.ranges) : tree.ranges)
            made.add(low, high);
        if (made.runs.empty())
            return byte({1, 0}, next);  // no character: a step that no byte takes
        // Ends that runs share are made once.
        std::map<std::tuple<uint8_t, uint8_t, int32_t>, int32_t> known;
        int32_t start = -1;
        for (const std::vector<ByteRange> & run : made.runs) {
            int32_t at = next;
            for (auto range = run.rbegin(); range != run.rend(); ++range) {
                const auto [found, is_new] =
                    known.try_emplace({range->first, range->second, at}, 0);
                if (is_new) found->second = byte(*range, at);
                at = found->second;
            }
            start = start < 0 ? at : fork(at, start);
        }
        return start;
    }

    int32_t repeat(const GrammarNode & tree, int32_t next) {
        const GrammarNode & body = tree.nodes.front();
        if (tree.max == no_limit && tree.min <= 1) {
            const int32_t loop = add({StepKind::Fork, 0, 0, next, next});
            const int32_t again = node(body, loop);
            program_.steps[static_cast<std::size_t>(loop)].other = again;
            return tree.min == 0 ? loop : again;
        }
        // Copies are calls of one rule, so that repetitions inside repetitions do not multiply.
        const bool single = tree.max == 1;
        int32_t rule = 0;
        if (!single) {
            rule = static_cast<int32_t>(program_.rules.size());
            program_.rules.push_back(return_step);
            const int32_t start = node(body, return_step);
            program_.rules[static_cast<std::size_t>(rule)] = start;
        }
        const auto copy = [&](int32_t after) {
            return single ? node(body, after) : add({StepKind::Call, 0, 0, after, rule});
        };
        int32_t at = next;
        if (tree.max == no_limit) {
            at = add({StepKind::Fork, 0, 0, next, next});
            const int32_t again = copy(at);
            program_.steps[static_cast<std::size_t>(at)].other = again;
        } else {
            for (uint32_t i = tree.min; i < tree.max; ++i) at = fork(copy(at), next);
        }
        for (uint32_t i = 0; i < tree.min; ++i) at = copy(at);
        return at;
    }

    GrammarProgram program_;
};

}  // namespace

GrammarProgram compile_grammar(const std::string & source, const Vocab & vocab) {
    return Compiler().compile(parse_grammar(source, vocab));
}

}  // namespace r1

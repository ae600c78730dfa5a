// Analyses a grammar's steps before any text: which are productive, which rules may be empty, and
// whether a rule begins with itself. Linear in the program; pure; any thread.
#include <algorithm>

#include "core/failure.h"
#include "core/sampling/grammar_program.h"

namespace r1 {
namespace {

using Kind = GrammarStep::Kind;

std::size_t index(int32_t id) { return static_cast<std::size_t>(id); }

class Analysis {
public:
    explicit Analysis(GrammarProgram & program) : program_(program) {}

    void remove_jumps() {
        std::vector<int32_t> target(program_.steps.size());
        for (std::size_t i = 0; i < target.size(); ++i) target[i] = static_cast<int32_t>(i);
        const auto resolve = [&](int32_t start) {
            int32_t last = start;
            while (program_.steps[index(target[index(last)])].kind == Kind::Jump)
                last = program_.steps[index(target[index(last)])].next;
            last = target[index(last)];
            for (int32_t at = start; at != last;) {  // so that no chain is walked twice
                const GrammarStep & step = program_.steps[index(at)];
                target[index(at)] = last;
                if (step.kind != Kind::Jump) break;
                at = step.next;
            }
            return last;
        };
        for (GrammarStep & step : program_.steps) {
            if (step.kind == Kind::Return || step.kind == Kind::Jump) continue;
            step.next = resolve(step.next);
            if (step.kind == Kind::Fork) step.other = resolve(step.other);
        }
        for (GrammarRule & rule : program_.rules) rule.start = resolve(rule.start);
    }

    /** Steps from which the end of their rule can be reached: by no text (`empty`), or by any. */
    std::vector<bool> reach_end(bool empty) {
        const std::size_t count = program_.steps.size();
        std::vector<bool> reached(count, false);
        index_uses();
        std::vector<int32_t> todo{0};
        std::vector<bool> done(program_.rules.size(), false);
        const auto holds = [&](int32_t id) {
            const GrammarStep & step = program_.steps[index(id)];
            switch (step.kind) {
                case Kind::Return: return true;
                case Kind::Fork: return reached[index(step.next)] || reached[index(step.other)];
                case Kind::Byte:
                    return !empty && step.low <= step.high && reached[index(step.next)];
                case Kind::Token:
                case Kind::NotToken: return !empty && reached[index(step.next)];
                case Kind::Call: return reached[index(step.next)] && done[index(step.other)];
                case Kind::Repeat: {
                    const GrammarRepeat & repeat = program_.repeats[index(step.other)];
                    return reached[index(step.next)] &&
                           (repeat.min == 0 || done[index(repeat.rule)]);
                }
                case Kind::Jump: return false;
            }
            return false;
        };
        const auto reach = [&](int32_t id) {
            if (reached[index(id)] || !holds(id)) return;
            reached[index(id)] = true;
            todo.push_back(id);
        };
        reached[0] = true;
        const auto finish_rules = [&](int32_t id) {
            for (int32_t at = starts_[index(id)]; at >= 0; at = next_rule_[index(at)]) {
                done[index(at)] = true;
                for (int32_t use = callers_[index(at)]; use >= 0; use = next_caller_[index(use)])
                    reach(use);
            }
        };
        while (!todo.empty()) {
            const int32_t id = todo.back();
            todo.pop_back();
            for (int32_t use = by_next_[index(id)]; use >= 0; use = same_next_[index(use)])
                reach(use);
            for (int32_t use = by_other_[index(id)]; use >= 0; use = same_other_[index(use)])
                reach(use);
            finish_rules(id);
        }
        return reached;
    }

    /** A rule that can begin with itself, or -1. */
    int32_t left_recursion(const std::vector<bool> & nullable) {
        enum : uint8_t { New, Open, Done };
        std::vector<uint8_t> state(program_.rules.size(), New);
        std::vector<uint8_t> seen(program_.steps.size(), 0);
        for (std::size_t first = 0; first < state.size(); ++first) {
            if (state[first] != New) continue;
            struct Visit {
                int32_t rule;
                std::vector<int32_t> begins;  // rules it can begin with, still to be looked at
            };
            std::vector<Visit> path;
            const auto enter = [&](int32_t rule) {
                state[index(rule)] = Open;
                path.push_back({rule, beginnings(rule, nullable, seen)});
            };
            enter(static_cast<int32_t>(first));
            while (!path.empty()) {
                Visit & top = path.back();
                if (top.begins.empty()) {
                    state[index(top.rule)] = Done;
                    path.pop_back();
                    continue;
                }
                const int32_t next = top.begins.back();
                top.begins.pop_back();
                if (state[index(next)] == New) {
                    enter(next);
                } else if (state[index(next)] == Open) {
                    for (auto at = path.rbegin(); at != path.rend(); ++at) {
                        if (!program_.rules[index(at->rule)].name.empty()) return at->rule;
                    }
                    return next;
                }
            }
        }
        return -1;
    }

private:
    // Which steps lead to a step, which steps call a rule, which rules start at a step: as lists
    // threaded through arrays.
    void index_uses() {
        const std::size_t count = program_.steps.size();
        for (auto * list : {&by_next_, &same_next_, &by_other_, &same_other_, &next_caller_})
            list->assign(count, -1);
        starts_.assign(count, -1);
        callers_.assign(program_.rules.size(), -1);
        next_rule_.assign(program_.rules.size(), -1);
        for (std::size_t i = 0; i < program_.rules.size(); ++i) {
            int32_t & head = starts_[index(program_.rules[i].start)];
            next_rule_[i] = head;
            head = static_cast<int32_t>(i);
        }
        for (std::size_t i = 1; i < count; ++i) {
            const GrammarStep & step = program_.steps[i];
            if (step.kind == Kind::Jump) continue;
            same_next_[i] = by_next_[index(step.next)];
            by_next_[index(step.next)] = static_cast<int32_t>(i);
            if (step.kind == Kind::Fork) {
                same_other_[i] = by_other_[index(step.other)];
                by_other_[index(step.other)] = static_cast<int32_t>(i);
            }
            if (step.kind != Kind::Call && step.kind != Kind::Repeat) continue;
            const int32_t rule =
                step.kind == Kind::Call ? step.other : program_.repeats[index(step.other)].rule;
            next_caller_[i] = callers_[index(rule)];
            callers_[index(rule)] = static_cast<int32_t>(i);
        }
    }

    // Rules that a rule can begin with. The steps of a rule are its own, so each is seen once.
    std::vector<int32_t> beginnings(int32_t rule, const std::vector<bool> & nullable,
                                    std::vector<uint8_t> & seen) {
        std::vector<int32_t> found;
        std::vector<int32_t> todo{program_.rules[index(rule)].start};
        while (!todo.empty()) {
            const int32_t id = todo.back();
            todo.pop_back();
            if (id == 0 || seen[index(id)] != 0) continue;
            seen[index(id)] = 1;
            const GrammarStep & step = program_.steps[index(id)];
            if (step.kind == Kind::Fork) {
                todo.push_back(step.next);
                todo.push_back(step.other);
            } else if (step.kind == Kind::Call || step.kind == Kind::Repeat) {
                const bool is_call = step.kind == Kind::Call;
                const int32_t called =
                    is_call ? step.other : program_.repeats[index(step.other)].rule;
                found.push_back(called);
                const bool may_skip = nullable[index(program_.rules[index(called)].start)] ||
                                      (!is_call && program_.repeats[index(step.other)].min == 0);
                if (may_skip) todo.push_back(step.next);
            }
        }
        return found;
    }

    GrammarProgram & program_;
    std::vector<int32_t> by_next_, same_next_, by_other_, same_other_;
    std::vector<int32_t> callers_, next_caller_, starts_, next_rule_;
};

}  // namespace

std::string place_in(const std::string & source, std::size_t at) {
    std::size_t line = 1;
    std::size_t column = 1;
    for (std::size_t i = 0; i < std::min(at, source.size()); ++i) {
        if (source[i] == '\n') {
            ++line;
            column = 1;
        } else if ((static_cast<unsigned char>(source[i]) & 0xC0) != 0x80) {
            ++column;
        }
    }
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

void finish_program(GrammarProgram & program, const std::string & source) {
    Analysis analysis(program);
    analysis.remove_jumps();
    const std::vector<bool> nullable = analysis.reach_end(true);
    for (GrammarRule & rule : program.rules) rule.nullable = nullable[index(rule.start)];
    for (GrammarRepeat & repeat : program.repeats)
        repeat.nullable = program.rules[index(repeat.rule)].nullable;
    const int32_t recursive = analysis.left_recursion(nullable);
    if (recursive >= 0) {
        const GrammarRule & rule = program.rules[index(recursive)];
        throw Failure(ErrorCode::GrammarInvalid,
                      "The grammar has a left recursion: rule " + rule.name + " in " +
                          place_in(source, rule.place) +
                          " can begin with itself. Write it as a repetition, as in item*.");
    }
    const std::vector<bool> productive = analysis.reach_end(false);
    for (std::size_t i = 0; i < productive.size(); ++i) program.steps[i].productive = productive[i];
    if (!productive[index(program.rules[index(program.root)].start)])
        throw Failure(ErrorCode::GrammarInvalid,
                      "The grammar allows no text: every way through root needs itself again, or "
                      "a character that does not exist, so it can never come to an end.");
}

}  // namespace r1

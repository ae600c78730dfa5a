// GrammarStates: the states a grammar can be in. One owner at a time (Grammar locks).
#include "core/sampling/grammar_states.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/failure.h"

namespace r1 {
namespace {

using Kind = GrammarStep::Kind;

constexpr int32_t bottom = 0;  // the node below `root`: what returns to it is whole
constexpr std::size_t max_state_work = 60'000;  // steps to make one state: at most a few ms

std::size_t index(int32_t id) { return static_cast<std::size_t>(id); }

// In this round, called rules represent their nodes until the nodes are created.
int32_t node_of_rule(int32_t rule) { return -1 - rule; }
int32_t rule_of_node(int32_t node) { return -1 - node; }

uint64_t joined(int32_t high, int32_t low) {
    return (static_cast<uint64_t>(static_cast<uint32_t>(high)) << 32) | static_cast<uint32_t>(low);
}

[[noreturn]] void fail_readings() {
    throw Failure(ErrorCode::GrammarInvalid,
                  "The grammar can be read in too many ways at one place. Give its branches "
                  "different beginnings, or repeat fewer things inside each other.");
}

}  // namespace

bool GrammarStates::Continuation::operator<(const Continuation & other) const {
    return std::tie(step, count, node) < std::tie(other.step, other.count, other.node);
}
bool GrammarStates::Continuation::operator==(const Continuation & other) const {
    return step == other.step && count == other.count && node == other.node;
}

GrammarStates::GrammarStates(GrammarProgram program)
    : program_(std::move(program)), called_(program_.rules.size()) {
    nodes_.push_back({0, 0});
}

int32_t GrammarStates::start() {
    std::vector<Way> todo{{program_.rules[index(program_.root)].start, bottom}};
    return enter(todo);
}

void GrammarStates::count_work() {
    ++work_;
    if (++round_work_ > max_state_work) fail_readings();
}

void GrammarStates::push(int32_t step, int32_t node) {
    if (program_.steps[index(step)].productive) todo_.push_back({step, node});
}

void GrammarStates::returned(int32_t node) {
    if (node == bottom) {
        complete_ = true;
    } else if (node > 0) {
        const Node & known = nodes_[index(node)];
        for (std::size_t i = 0; i < known.size; ++i) resume(pool_[known.first + i]);
    } else {
        Called & rule = called_[index(rule_of_node(node))];
        if (rule.returned) return;
        rule.returned = true;
        for (std::size_t i = 0; i < rule.continuations.size(); ++i) {
            const Continuation each = rule.continuations[i];  // resume() may add more
            resume(each);
        }
    }
}

void GrammarStates::resume(const Continuation & from) {
    count_work();
    const GrammarStep & step = program_.steps[index(from.step)];
    if (step.kind != Kind::Repeat || from.count == 0) {
        push(from.step, from.node);
        return;
    }
    const GrammarRepeat & repeat = program_.repeats[index(step.other)];
    if (from.count >= repeat.min || repeat.nullable) push(step.next, from.node);
    if (repeat.max == no_limit) {
        const uint32_t enough = std::max(repeat.min, 1U);
        call(repeat.rule, {from.step, std::min(from.count + 1, enough), from.node});
    } else if (from.count < repeat.max) {
        call(repeat.rule, {from.step, from.count + 1, from.node});
    }
}

void GrammarStates::call(int32_t rule, const Continuation & back) {
    count_work();
    Called & called = called_[index(rule)];
    const int32_t start = program_.rules[index(rule)].start;
    if (!program_.steps[index(start)].productive) return;
    if (called.round != round_) {
        called.round = round_;
        called.returned = false;
        called.node = -1;
        called.continuations.clear();
        todo_.push_back({start, node_of_rule(rule)});
    }
    uint64_t kind = 0;
    if (back.count > 0) {
        const GrammarRepeat & repeat =
            program_.repeats[index(program_.steps[index(back.step)].other)];
        // Of repetitions that may all end here, the one with the most rounds left covers the
        // others.
        const bool may_end = repeat.nullable || back.count > repeat.min;
        kind = may_end ? 1 : static_cast<uint64_t>(back.count) + 1;
    }
    bool is_new = false;
    uint32_t & least = seen_.find((kind << 32) | static_cast<uint32_t>(rule) | (uint64_t{1} << 63),
                                  joined(back.step, back.node), back.count, is_new);
    if (!is_new) {
        if (back.count >= least) return;
        least = back.count;
    }
    called.continuations.push_back(back);
    if (called.returned) resume(back);
}

// Follows forks, calls and ends of rules to the steps that wait for input: the state they make.
int32_t GrammarStates::enter(std::vector<Way> & start) {
    ++round_;
    round_work_ = 0;
    seen_.next_round();
    todo_.swap(start);
    ways_.clear();
    complete_ = false;
    bool is_new = false;
    while (!todo_.empty()) {
        const Way way = todo_.back();
        todo_.pop_back();
        count_work();
        seen_.find(0, joined(way.step, way.node), 0, is_new);
        if (!is_new) continue;
        const GrammarStep & step = step_of(way);
        switch (step.kind) {
            case Kind::Return: returned(way.node); break;
            case Kind::Fork:
                push(step.next, way.node);
                push(step.other, way.node);
                break;
            case Kind::Call: call(step.other, {step.next, 0, way.node}); break;
            case Kind::Repeat: {
                const GrammarRepeat & repeat = program_.repeats[index(step.other)];
                if (repeat.min == 0 || repeat.nullable) push(step.next, way.node);
                call(repeat.rule, {way.step, 1, way.node});
                break;
            }
            case Kind::Byte:
            case Kind::Token:
            case Kind::NotToken: ways_.push_back(way); break;
            case Kind::Jump: break;
        }
    }
    for (Way & way : ways_) {
        if (way.node < 0) way.node = settle(rule_of_node(way.node));
    }
    std::sort(ways_.begin(), ways_.end());
    ways_.erase(std::unique(ways_.begin(), ways_.end()), ways_.end());
    return ways_.empty() && !complete_ ? none : intern_state(ways_, complete_);
}

// Makes the node of a rule that was called in this round, and those it leads to. No rule begins
// with itself, so there is no circle.
int32_t GrammarStates::settle(int32_t rule) {
    std::vector<int32_t> path{rule};
    while (!path.empty()) {
        Called & called = called_[index(path.back())];
        if (called.node >= 0) {
            path.pop_back();
            continue;
        }
        bool is_ready = true;
        for (const Continuation & each : called.continuations) {
            count_work();
            if (each.node < 0 && called_[index(rule_of_node(each.node))].node < 0) {
                path.push_back(rule_of_node(each.node));
                is_ready = false;
            }
        }
        if (!is_ready) continue;
        list_.clear();
        for (const Continuation & each : called.continuations) {
            const int32_t node =
                each.node < 0 ? called_[index(rule_of_node(each.node))].node : each.node;
            const bool is_last = program_.steps[index(each.step)].kind == Kind::Return;
            if (!is_last || node == bottom) {
                list_.push_back({each.step, each.count, node});
                continue;
            }
            // Nothing follows the call, so it returns to its caller's return point. An endless list
            // then needs no deeper nodes.
            const Node & known = nodes_[index(node)];
            for (std::size_t i = 0; i < known.size; ++i) {
                count_work();
                list_.push_back(pool_[known.first + i]);
            }
        }
        std::sort(list_.begin(), list_.end());
        list_.erase(std::unique(list_.begin(), list_.end()), list_.end());
        called.node = intern_node(list_);
        path.pop_back();
    }
    return called_[index(rule)].node;
}

int32_t GrammarStates::intern_node(std::vector<Continuation> & list) {
    if (list.size() == 1 && list[0].step == 0 && list[0].node == bottom) return bottom;
    uint64_t hash = list.size();
    for (const Continuation & each : list)
        hash = RoundMap::mixed(RoundMap::mixed(hash, joined(each.step, each.node)), each.count);
    const auto [from, to] = node_ids_.equal_range(hash);
    for (auto it = from; it != to; ++it) {
        const Node & node = nodes_[index(it->second)];
        if (node.size == list.size() &&
            std::equal(list.begin(), list.end(),
                       pool_.begin() + static_cast<std::ptrdiff_t>(node.first)))
            return it->second;
    }
    const auto id = static_cast<int32_t>(nodes_.size());
    nodes_.push_back({pool_.size(), list.size()});
    pool_.insert(pool_.end(), list.begin(), list.end());
    node_ids_.emplace(hash, id);
    bytes_ += 2 * (sizeof(Node) + list.size() * sizeof(Continuation)) + 64;  // vectors grow by half
    return id;
}

int32_t GrammarStates::intern_state(std::vector<Way> ways, bool complete) {
    uint64_t hash = complete ? 1 : 2;
    for (const Way & way : ways) hash = RoundMap::mixed(hash, joined(way.step, way.node));
    const auto [from, to] = state_ids_.equal_range(hash);
    for (auto it = from; it != to; ++it) {
        const State & state = at(it->second);
        if (state.complete == complete && state.ways == ways) return it->second;
    }
    auto state = std::make_unique<State>();
    for (const Way & way : ways) {
        const GrammarStep & step = step_of(way);
        if (step.kind != Kind::Byte) {
            state->has_tokens = true;
            continue;
        }
        for (unsigned byte = step.low; byte <= step.high; ++byte)
            state->bytes[byte / 64] |= uint64_t{1} << (byte % 64);
    }
    state->complete = complete;
    bytes_ += sizeof(State) + ways.size() * sizeof(Way) + 96;
    state->ways = std::move(ways);
    const auto id = static_cast<int32_t>(states_.size());
    states_.push_back(std::move(state));
    state_ids_.emplace(hash, id);
    return id;
}

int32_t GrammarStates::follow(int32_t from, uint8_t byte) {
    State & state = at(from);
    if ((state.bytes[byte / 64] >> (byte % 64) & 1) == 0) return none;
    if (state.table != nullptr) {
        const int32_t known = (*state.table)[byte];
        if (known >= 0) return known;
    } else {
        for (std::size_t i = 0; i < state.edge_count; ++i) {
            if (state.edges[i].byte == byte) return state.edges[i].state;
        }
    }
    std::vector<Way> next;
    for (const Way & way : state.ways) {
        const GrammarStep & step = step_of(way);
        if (step.kind == Kind::Byte && byte >= step.low && byte <= step.high)
            next.push_back({step.next, way.node});
    }
    work_ += state.ways.size() / 4;
    const int32_t to = enter(next);
    if (to >= 0) add_edge(at(from), byte, to);
    return to;
}

void GrammarStates::add_edge(State & state, uint8_t byte, int32_t to) {
    if (state.table == nullptr && state.edge_count < few_edges) {
        state.edges[state.edge_count++] = {byte, to};
        return;
    }
    if (state.table == nullptr) {
        state.table = std::make_unique<std::array<int32_t, 256>>();
        state.table->fill(none);
        for (const Edge & edge : state.edges) (*state.table)[index(edge.byte)] = edge.state;
        bytes_ += sizeof(*state.table) + 16;
    }
    (*state.table)[byte] = to;
}

bool GrammarStates::matches(const GrammarStep & step, llama_token token) {
    return (step.kind == Kind::Token && step.other == token) ||
           (step.kind == Kind::NotToken && step.other != token);
}

bool GrammarStates::takes_token(int32_t state, llama_token token) const {
    const State & from = at(state);
    return from.has_tokens && std::any_of(from.ways.begin(), from.ways.end(), [&](const Way & way) {
               return matches(step_of(way), token);
           });
}

int32_t GrammarStates::accept(int32_t from, llama_token token, int32_t walked) {
    if (!takes_token(from, token)) return walked;
    std::vector<Way> next;
    for (const Way & way : at(from).ways) {
        const GrammarStep & step = step_of(way);
        if (matches(step, token)) next.push_back({step.next, way.node});
    }
    if (walked >= 0) {
        const State & also = at(walked);
        next.insert(next.end(), also.ways.begin(), also.ways.end());
        if (also.complete) next.push_back({0, bottom});
    }
    return enter(next);
}

void GrammarStates::set_mask(int32_t state, std::shared_ptr<const TokenMask> mask) {
    bytes_ += mask->size() * sizeof(uint64_t);
    at(state).mask = std::move(mask);
}

void GrammarStates::keep_only(const std::vector<int32_t *> & used) {
    const std::vector<Node> old_nodes = std::move(nodes_);
    const std::vector<Continuation> old_pool = std::move(pool_);
    std::vector<std::unique_ptr<State>> old_states = std::move(states_);
    // Nodes lead only to older ones. Going down from the newest finds all; going up makes each node
    // after those it leads to.
    std::vector<bool> needed(old_nodes.size(), false);
    for (const int32_t * state : used) {
        for (const Way & way : old_states[index(*state)]->ways) needed[index(way.node)] = true;
    }
    for (std::size_t id = old_nodes.size(); id-- > 1;) {
        for (std::size_t i = 0; needed[id] && i < old_nodes[id].size; ++i)
            needed[index(old_pool[old_nodes[id].first + i].node)] = true;
    }
    states_.clear();
    nodes_.assign(1, {0, 0});
    pool_.clear();
    state_ids_.clear();
    node_ids_.clear();
    bytes_ = 0;
    std::vector<int32_t> moved(old_nodes.size(), bottom);
    for (std::size_t id = 1; id < old_nodes.size(); ++id) {
        if (!needed[id]) continue;
        list_.clear();
        for (std::size_t i = 0; i < old_nodes[id].size; ++i) {
            Continuation each = old_pool[old_nodes[id].first + i];
            each.node = moved[index(each.node)];
            list_.push_back(each);
        }
        std::sort(list_.begin(), list_.end());
        moved[id] = intern_node(list_);
    }
    for (int32_t * state : used) {
        const State & old = *old_states[index(*state)];
        std::vector<Way> ways = old.ways;
        for (Way & way : ways) way.node = moved[index(way.node)];
        std::sort(ways.begin(), ways.end());
        *state = intern_state(std::move(ways), old.complete);
    }
    if (bytes_ > max_bytes / 2)
        throw Failure(ErrorCode::GrammarInvalid,
                      "The grammar needs too much memory for what was generated so far. Give its "
                      "branches different beginnings, or nest less deeply.");
}

}  // namespace r1

// GrammarStates: the states a grammar can be in, made as texts need them and shared by all that
// follow the grammar. One owner at a time (Grammar locks).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/sampling/grammar_program.h"
#include "core/sampling/round_map.h"

namespace r1 {

/** A bit for each token of the vocabulary: those that may come next. */
using TokenMask = std::vector<uint64_t>;

/**
 * A state is a set of ways: a step that waits for input, and a node that says where the rule it is
 * in continues when it ends. All calls of a rule at one place of the text share one node, and equal
 * nodes and states are one. So the ways of a state grow with the grammar, and not with the number
 * of readings of the text.
 */
class GrammarStates {
public:
    /** Maximum bytes of states and nodes. Beyond it, all except those in use are dropped. */
    static constexpr std::size_t max_bytes = std::size_t{64} << 20;

    explicit GrammarStates(GrammarProgram program);

    static constexpr int32_t none = -1;

    /** The state before any text. */
    int32_t start();

    /** The state after one byte more; `none` if the grammar does not take it. Throws
     * Failure(GrammarInvalid) where a state would be too large. */
    int32_t follow(int32_t state, uint8_t byte);

    /** Whether the grammar takes the byte: every state can go on or is complete. */
    bool takes(int32_t state, uint8_t byte) const {
        return (at(state).bytes[byte / 64] >> (byte % 64) & 1) != 0;
    }

    bool is_complete(int32_t state) const { return at(state).complete; }
    bool has_tokens(int32_t state) const { return at(state).has_tokens; }

    /** Whether a way of the state takes this whole token. */
    bool takes_token(int32_t state, llama_token token) const;

    /** Calls `take(id, negated)` for each step of the state that waits for a whole token. */
    template <typename Take>
    void each_token(int32_t state, Take take) const {
        for (const Way & way : at(state).ways) {
            const GrammarStep & step = step_of(way);
            if (step.kind == GrammarStep::Kind::Token || step.kind == GrammarStep::Kind::NotToken)
                take(step.other, step.kind == GrammarStep::Kind::NotToken);
        }
    }

    /** The state after a whole token; `walked` is the one after its bytes, or `none`. */
    int32_t accept(int32_t state, llama_token token, int32_t walked);

    /** The mask of a state, if it was set. */
    const std::shared_ptr<const TokenMask> & mask(int32_t state) const { return at(state).mask; }
    void set_mask(int32_t state, std::shared_ptr<const TokenMask> mask);

    /** Work done so far, in steps. */
    uint64_t work() const { return work_; }

    /** Bytes of the program, states, nodes and masks. */
    std::size_t bytes() const { return program_.bytes() + bytes_; }
    bool is_full() const { return bytes_ > max_bytes; }

    /** Drops all states but these, whose ids it changes. Throws Failure(GrammarInvalid) if they
     * alone are too many. */
    void keep_only(const std::vector<int32_t *> & used);

private:
    struct Way {
        int32_t step;
        int32_t node;
        bool operator<(const Way & other) const {
            return step != other.step ? step < other.step : node < other.node;
        }
        bool operator==(const Way & other) const {
            return step == other.step && node == other.node;
        }
    };
    /** Where a rule continues: a step, or a Repeat whose `count` repetitions are then done. */
    struct Continuation {
        int32_t step;
        uint32_t count;
        int32_t node;
        bool operator<(const Continuation & other) const;
        bool operator==(const Continuation & other) const;
    };
    struct Edge {
        int32_t byte;
        int32_t state;
    };
    static constexpr std::size_t few_edges = 8;
    struct State {
        std::vector<Way> ways;
        std::array<uint64_t, 4> bytes{};  // that some way takes
        bool complete = false;
        bool has_tokens = false;
        uint8_t edge_count = 0;
        std::array<Edge, few_edges> edges{};
        std::unique_ptr<std::array<int32_t, 256>> table;  // once there are more edges
        std::shared_ptr<const TokenMask> mask;
    };
    struct Node {
        std::size_t first;
        std::size_t size;
    };
    /** A rule that was called while a state is made; its node is made at the end. */
    struct Called {
        uint64_t round = 0;
        bool returned = false;
        int32_t node = -1;
        std::vector<Continuation> continuations;
    };
    const State & at(int32_t state) const { return *states_[static_cast<std::size_t>(state)]; }
    State & at(int32_t state) { return *states_[static_cast<std::size_t>(state)]; }
    const GrammarStep & step_of(const Way & way) const {
        return program_.steps[static_cast<std::size_t>(way.step)];
    }
    static bool matches(const GrammarStep & step, llama_token token);

    int32_t enter(std::vector<Way> & todo);
    void push(int32_t step, int32_t node);
    void returned(int32_t node);
    void resume(const Continuation & from);
    void call(int32_t rule, const Continuation & back);
    int32_t settle(int32_t rule);
    int32_t intern_node(std::vector<Continuation> & list);
    int32_t intern_state(std::vector<Way> ways, bool complete);
    void add_edge(State & state, uint8_t byte, int32_t to);
    void count_work();

    GrammarProgram program_;
    std::vector<std::unique_ptr<State>> states_;
    std::vector<Node> nodes_;
    std::vector<Continuation> pool_;  // of the nodes
    std::unordered_multimap<uint64_t, int32_t> state_ids_;
    std::unordered_multimap<uint64_t, int32_t> node_ids_;
    std::size_t bytes_ = 0;
    uint64_t work_ = 0;

    // While a state is made.
    std::vector<Called> called_;  // by rule
    uint64_t round_ = 0;
    std::size_t round_work_ = 0;
    std::vector<Way> todo_;
    std::vector<Way> ways_;
    std::vector<Continuation> list_;
    bool complete_ = false;
    RoundMap seen_;
};

}  // namespace r1

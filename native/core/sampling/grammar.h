// Grammar: a compiled grammar and its cached states, shared by all requests that follow it.
// GrammarCursor: the position of one text in it. Memory is bounded, and a budget bounds time.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/sampling/grammar_program.h"
#include "core/sampling/grammar_states.h"
#include "core/text/vocab.h"

namespace r1 {

class GrammarCursor;

/** How long work on a grammar may take now. Unfinished work continues at the next call. */
struct GrammarBudget {
    std::chrono::steady_clock::time_point end = std::chrono::steady_clock::time_point::max();

    bool is_spent() const {
        return end != std::chrono::steady_clock::time_point::max() &&
               std::chrono::steady_clock::now() >= end;
    }
};

/** The time that grammars may use in one step of an engine. Other requests wait for the step. */
class GrammarTime {
public:
    using Duration = std::chrono::steady_clock::duration;

    explicit GrammarTime(Duration left) : left_(left) {}

    void add(Duration more) { left_ += more; }
    bool is_spent() const { return left_ <= Duration::zero(); }

    /** Starts to count; what one choice may take. */
    GrammarBudget open() {
        start_ = std::chrono::steady_clock::now();
        return {start_ + std::clamp(left_, Duration::zero(), Duration(max_slice))};
    }
    void close() { left_ -= std::chrono::steady_clock::now() - start_; }

private:
    static constexpr std::chrono::milliseconds max_slice{1};
    Duration left_;
    std::chrono::steady_clock::time_point start_{};
};

/** Any thread; `vocab` must outlive it and all its cursors. */
class Grammar {
public:
    /**
     * Compiles the grammar and builds the vocabulary's tables, so that no engine thread has to.
     * Throws Failure: GrammarInvalid with the place, Aborted.
     */
    static std::shared_ptr<Grammar> compile(const Vocab & vocab, std::string source,
                                            const CompileLimits & limits = {});

    Grammar(const Vocab & vocab, std::string source, GrammarProgram program);
    Grammar(const Grammar &) = delete;
    Grammar & operator=(const Grammar &) = delete;

    const std::string & source() const { return source_; }
    const Vocab & vocab() const { return vocab_; }

    /** What it takes now, the source included. */
    std::size_t bytes() const;

private:
    friend class GrammarCursor;

    void make_room();

    const Vocab & vocab_;
    const std::string source_;
    mutable std::mutex mutex_;  // of all below
    GrammarStates states_;
    int32_t start_ = GrammarStates::none;
    std::vector<GrammarCursor *> cursors_;
    uint64_t epoch_ = 0;  // of the states' ids
};

/** One text in a grammar. One thread at a time. */
class GrammarCursor {
public:
    explicit GrammarCursor(std::shared_ptr<Grammar> grammar);
    ~GrammarCursor();
    GrammarCursor(const GrammarCursor &) = delete;
    GrammarCursor & operator=(const GrammarCursor &) = delete;

    /** Whether the text may end here. */
    bool is_complete() const;

    /**
     * Whether a token that does not end the generation may come next. Returns nothing if the budget
     * was too small: call it again. Throws Failure(GrammarInvalid) when the choice takes too much.
     */
    std::optional<bool> allows(llama_token token, const GrammarBudget & budget = {});

    /** All tokens that may come next by allows(); nullptr if the budget was too small. */
    std::shared_ptr<const TokenMask> mask(const GrammarBudget & budget = {});

    /** Advances by an allowed token. Ends the choice. */
    void accept(llama_token token);

private:
    friend class Grammar;

    /** A walk over the tokens that a budget cut short. */
    struct Walk {
        int32_t next = 0;  // node to look at
        std::vector<int32_t> nodes;
        std::vector<int32_t> states;  // after each of the nodes
        TokenMask mask;
        uint64_t epoch = 0;
    };

    void begin_walk();
    bool go_on(const GrammarBudget & budget);
    void find_states_again();
    void note_work(uint64_t before);
    int32_t walk(llama_token token);

    std::shared_ptr<Grammar> grammar_;
    int32_t current_ = 0;
    std::optional<Walk> walk_;
    uint64_t work_ = 0;  // for this choice
};

/** Whether a mask holds a token. */
inline bool holds(const TokenMask & mask, llama_token token) {
    return (mask[static_cast<std::size_t>(token) / 64] >> (static_cast<unsigned>(token) % 64) &
            1) != 0;
}

}  // namespace r1

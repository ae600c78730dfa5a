// Grammar: where a generated text stands in a grammar, and which tokens may come next. Bounded in
// time and memory whatever the grammar is. Engine thread only.
#include "core/grammar.h"

#include <algorithm>
#include <utility>

#include "core/failure.h"

namespace r1 {
namespace {

using Kind = GrammarStep::Kind;

// Real grammars have a few ways at once and a few dozen states; what a list of 2000 values needs is
// far below these.
constexpr std::size_t most_ways = 20'000;      // open at once
constexpr std::size_t most_work = 10'000'000;  // steps for one choice of a token, about a second
constexpr std::size_t most_states = 4096;      // kept, 1 KiB each
constexpr std::size_t most_frames = 500'000;   // kept

constexpr int32_t no_frame = -1;
constexpr int32_t unknown = -2;
constexpr int32_t dead = -1;
constexpr uint64_t complete_mark = UINT64_MAX;

uint64_t way_of(int32_t step, int32_t frame) {
    return (static_cast<uint64_t>(static_cast<uint32_t>(step)) << 32) |
           static_cast<uint32_t>(frame);
}
int32_t step_of(uint64_t way) { return static_cast<int32_t>(way >> 32); }
int32_t frame_of(uint64_t way) { return static_cast<int32_t>(way & 0xFFFFFFFFU); }

[[noreturn]] void fail_readings() {
    throw Failure(ErrorCode::GrammarInvalid,
                  "The grammar can be read in too many ways at once. Give its branches different "
                  "beginnings, or repeat fewer things inside each other.");
}

}  // namespace

std::size_t Grammar::WaysHash::operator()(const Ways & ways) const {
    uint64_t hash = 0x9E3779B97F4A7C15U;
    for (const uint64_t way : ways) {
        hash = (hash ^ way) * 0xFF51AFD7ED558CCDU;
        hash ^= hash >> 32;
    }
    return static_cast<std::size_t>(hash);
}

Grammar::Grammar(const Vocab & vocab, const std::string & source)
    : vocab_(vocab), program_(compile_grammar(source, vocab)) {
    if (llama_vocab_type(vocab.handle()) == LLAMA_VOCAB_TYPE_NONE) {
        throw Failure(ErrorCode::GrammarInvalid,
                      "This model has no vocabulary, so that no text can be held to a grammar.");
    }
    const int32_t start =
        enter({way_of(program_.rules[static_cast<std::size_t>(program_.root)], no_frame)});
    if (start == dead)
        throw Failure(ErrorCode::GrammarInvalid, "The grammar allows no text at all.");
    current_ = static_cast<std::size_t>(start);
}

int32_t Grammar::frame(int32_t step, int32_t below) {
    const auto [found, is_new] =
        frame_ids_.try_emplace(way_of(step, below), static_cast<int32_t>(frames_.size()));
    if (is_new) frames_.push_back({step, below});
    return found->second;
}

// Follows forks, calls and returns to the steps that wait for input. The state they make, or
// `dead`.
int32_t Grammar::enter(Ways todo) {
    seen_.clear();
    Ways ways;
    bool complete = false;
    bool has_tokens = false;
    while (!todo.empty()) {
        const uint64_t way = todo.back();
        todo.pop_back();
        if (!seen_.insert(way).second) continue;
        if (seen_.size() > most_ways || ++work_ > most_work) fail_readings();
        const GrammarStep & step = program_.steps[static_cast<std::size_t>(step_of(way))];
        const int32_t at = frame_of(way);
        switch (step.kind) {
            case Kind::Return:
                if (at == no_frame) {
                    complete = true;
                } else {
                    const Frame & back = frames_[static_cast<std::size_t>(at)];
                    todo.push_back(way_of(back.step, back.below));
                }
                break;
            case Kind::Fork:
                todo.push_back(way_of(step.next, at));
                todo.push_back(way_of(step.other, at));
                break;
            case Kind::Call: {
                // A call with nothing after it comes back to where its caller would: a list that
                // goes on and on needs no deeper stack.
                const bool tail =
                    program_.steps[static_cast<std::size_t>(step.next)].kind == Kind::Return;
                todo.push_back(way_of(program_.rules[static_cast<std::size_t>(step.other)],
                                      tail ? at : frame(step.next, at)));
                break;
            }
            case Kind::Token:
            case Kind::NotToken: has_tokens = true; [[fallthrough]];
            case Kind::Byte: ways.push_back(way); break;
        }
    }
    if (ways.empty() && !complete) return dead;
    std::sort(ways.begin(), ways.end());
    if (complete) ways.push_back(complete_mark);
    const auto [found, is_new] = state_ids_.try_emplace(ways, static_cast<int32_t>(states_.size()));
    if (is_new) {
        if (complete) ways.pop_back();
        auto state = std::make_unique<State>();
        state->ways = std::move(ways);
        state->complete = complete;
        state->has_tokens = has_tokens;
        state->after.fill(unknown);
        states_.push_back(std::move(state));
    }
    return found->second;
}

int32_t Grammar::follow(int32_t from, uint8_t byte) {
    const State & state = *states_[static_cast<std::size_t>(from)];
    if (state.after[byte] != unknown) return state.after[byte];
    Ways next;
    for (const uint64_t way : state.ways) {
        const GrammarStep & step = program_.steps[static_cast<std::size_t>(step_of(way))];
        if (step.kind == Kind::Byte && byte >= step.low && byte <= step.high)
            next.push_back(way_of(step.next, frame_of(way)));
    }
    work_ += state.ways.size() / 8;
    const int32_t to = next.empty() ? dead : enter(std::move(next));
    states_[static_cast<std::size_t>(from)]->after[byte] = to;
    return to;
}

int32_t Grammar::walk(llama_token token) {
    auto state = static_cast<int32_t>(current_);
    for (const char c : vocab_.bytes(token)) {
        state = follow(state, static_cast<uint8_t>(c));
        if (state == dead) return dead;
    }
    return state;
}

bool Grammar::matches(uint64_t way, llama_token token) const {
    const GrammarStep & step = program_.steps[static_cast<std::size_t>(step_of(way))];
    return (step.kind == Kind::Token && step.other == token) ||
           (step.kind == Kind::NotToken && step.other != token);
}

bool Grammar::allows(llama_token token) {
    if (states_.size() > most_states || frames_.size() > most_frames) forget();
    const std::string_view bytes = vocab_.bytes(token);
    if (bytes.empty() || bytes[0] == '\0') return false;  // as llama.cpp has it
    const State & state = *states_[current_];
    if (state.has_tokens && std::any_of(state.ways.begin(), state.ways.end(),
                                        [&](uint64_t way) { return matches(way, token); }))
        return true;
    return walk(token) != dead;
}

void Grammar::accept(llama_token token) {
    const int32_t walked = walk(token);
    const State & state = *states_[current_];
    Ways next;
    for (const uint64_t way : state.ways) {
        if (matches(way, token))
            next.push_back(
                way_of(program_.steps[static_cast<std::size_t>(step_of(way))].next, frame_of(way)));
    }
    int32_t to = walked;
    if (!next.empty()) {
        if (walked != dead) {
            const State & also = *states_[static_cast<std::size_t>(walked)];
            next.insert(next.end(), also.ways.begin(), also.ways.end());
            if (also.complete) next.push_back(way_of(0, no_frame));
        }
        to = enter(std::move(next));
    }
    if (to == dead)
        throw Failure(ErrorCode::Internal, "A token that the grammar forbids was chosen.");
    current_ = static_cast<std::size_t>(to);
}

void Grammar::begin_choice() { work_ = 0; }

// Lets go of all states and frames but the current ones.
void Grammar::forget() {
    const std::unique_ptr<State> kept = std::move(states_[current_]);
    const std::vector<Frame> old = std::move(frames_);
    frames_.clear();
    frame_ids_.clear();
    states_.clear();
    state_ids_.clear();
    Ways ways;
    std::vector<int32_t> chain;
    for (const uint64_t way : kept->ways) {
        chain.clear();
        for (int32_t at = frame_of(way); at != no_frame;
             at = old[static_cast<std::size_t>(at)].below)
            chain.push_back(at);
        int32_t made = no_frame;
        for (auto at = chain.rbegin(); at != chain.rend(); ++at)
            made = frame(old[static_cast<std::size_t>(*at)].step, made);
        ways.push_back(way_of(step_of(way), made));
    }
    if (kept->complete) ways.push_back(way_of(0, no_frame));
    current_ = static_cast<std::size_t>(enter(std::move(ways)));
}

}  // namespace r1

// Grammar and GrammarCursor: which tokens may come next.
#include "core/sampling/grammar.h"

#include <algorithm>
#include <utility>

#include "core/failure.h"
#include "core/text/token_trie.h"

namespace r1 {
namespace {

constexpr uint64_t max_choice_work = 20'000'000;  // steps of work for one choice of a token

}  // namespace

std::shared_ptr<Grammar> Grammar::compile(const Vocab & vocab, std::string source,
                                          const CompileLimits & limits) {
    if (llama_vocab_type(vocab.handle()) == LLAMA_VOCAB_TYPE_NONE)
        throw Failure(ErrorCode::GrammarInvalid,
                      "This model has no vocabulary, so no text can be held to a grammar.");
    GrammarProgram program = compile_grammar(source, vocab, limits);
    auto grammar = std::make_shared<Grammar>(vocab, std::move(source), std::move(program));
    vocab.trie();
    return grammar;
}

Grammar::Grammar(const Vocab & vocab, std::string source, GrammarProgram program)
    : vocab_(vocab), source_(std::move(source)), states_(std::move(program)) {
    start_ = states_.start();
    if (start_ == GrammarStates::none)
        throw Failure(ErrorCode::GrammarInvalid, "The grammar allows no text at all.");
}

std::size_t Grammar::bytes() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return source_.capacity() + states_.bytes();
}

// Drops the states that no cursor needs once there are too many. The ids of states change.
void Grammar::make_room() {
    if (!states_.is_full()) return;
    std::vector<int32_t *> used{&start_};
    for (GrammarCursor * cursor : cursors_) used.push_back(&cursor->current_);
    ++epoch_;
    states_.keep_only(used);
}

GrammarCursor::GrammarCursor(std::shared_ptr<Grammar> grammar) : grammar_(std::move(grammar)) {
    std::lock_guard<std::mutex> lock(grammar_->mutex_);
    current_ = grammar_->start_;
    grammar_->cursors_.push_back(this);
}

GrammarCursor::~GrammarCursor() {
    std::lock_guard<std::mutex> lock(grammar_->mutex_);
    auto & cursors = grammar_->cursors_;
    cursors.erase(std::find(cursors.begin(), cursors.end(), this));
}

bool GrammarCursor::is_complete() const {
    std::lock_guard<std::mutex> lock(grammar_->mutex_);
    return grammar_->states_.is_complete(current_);
}

void GrammarCursor::note_work(uint64_t before) {
    work_ += grammar_->states_.work() - before;
    if (work_ > max_choice_work)
        throw Failure(ErrorCode::GrammarInvalid,
                      "The grammar makes the choice of one token too much work. Give its branches "
                      "different beginnings, or repeat fewer things inside each other.");
}

// The state after the bytes of a token, or none.
int32_t GrammarCursor::walk(llama_token token) {
    GrammarStates & states = grammar_->states_;
    int32_t state = current_;
    for (const char c : grammar_->vocab_.bytes(token)) {
        state = states.follow(state, static_cast<uint8_t>(c));
        if (state == GrammarStates::none) break;
    }
    return state;
}

std::optional<bool> GrammarCursor::allows(llama_token token, const GrammarBudget & budget) {
    std::lock_guard<std::mutex> lock(grammar_->mutex_);
    grammar_->make_room();
    GrammarStates & states = grammar_->states_;
    const std::string_view bytes = grammar_->vocab_.bytes(token);
    if (bytes.empty() || bytes[0] == '\0') return false;  // as llama.cpp has it
    if (states.mask(current_) != nullptr) return holds(*states.mask(current_), token);
    if (states.takes_token(current_, token)) return true;
    int32_t state = current_;
    const uint64_t before = states.work();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto byte = static_cast<uint8_t>(bytes[i]);
        if (!states.takes(state, byte)) return false;
        if (i + 1 == bytes.size()) break;  // every state can come to an end
        const uint64_t work = states.work();
        state = states.follow(state, byte);
        // The results so far are cached, so a second check of this token costs almost nothing.
        if (states.work() != work && budget.is_spent()) {
            note_work(before);
            return std::nullopt;
        }
    }
    note_work(before);
    return true;
}

void GrammarCursor::begin_walk() {
    const auto size = static_cast<std::size_t>(grammar_->vocab_.size());
    walk_.emplace();
    walk_->mask.assign((size + 63) / 64, 0);
    walk_->epoch = grammar_->epoch_;
}

// After states were dropped: the states on the path of the current walk.
void GrammarCursor::find_states_again() {
    GrammarStates & states = grammar_->states_;
    const TokenTrie & trie = grammar_->vocab_.trie();
    int32_t state = current_;
    for (std::size_t i = 0; i < walk_->nodes.size(); ++i) {
        state = states.follow(state, trie.node(walk_->nodes[i]).byte);
        walk_->states[i] = state;
    }
    walk_->epoch = grammar_->epoch_;
}

// False: the budget is spent.
bool GrammarCursor::go_on(const GrammarBudget & budget) {
    constexpr uint64_t work_between = 4000;  // looks at the clock
    constexpr int32_t nodes_between = 8192;
    GrammarStates & states = grammar_->states_;
    const TokenTrie & trie = grammar_->vocab_.trie();
    Walk & walk = *walk_;
    uint64_t work = states.work();
    int32_t looked = 0;
    while (walk.next < trie.node_count()) {
        if (states.is_full()) grammar_->make_room();
        if (walk.epoch != grammar_->epoch_) find_states_again();
        if (++looked >= nodes_between || states.work() - work > work_between) {
            looked = 0;
            note_work(work);
            work = states.work();
            if (budget.is_spent()) return false;
        }
        const TokenTrie::Node & node = trie.node(walk.next);
        walk.nodes.resize(node.depth - 1U);
        walk.states.resize(node.depth - 1U);
        const int32_t above = walk.states.empty() ? current_ : walk.states.back();
        if (!states.takes(above, node.byte)) {
            walk.next = node.end;
            continue;
        }
        if (node.has_tokens) {
            const int32_t last = trie.node(walk.next + 1).first_token;
            for (int32_t i = node.first_token; i < last; ++i) {
                const auto token =
                    static_cast<std::size_t>(trie.tokens()[static_cast<std::size_t>(i)]);
                walk.mask[token / 64] |= uint64_t{1} << (token % 64);
            }
        }
        if (node.end > walk.next + 1) {
            walk.nodes.push_back(walk.next);
            walk.states.push_back(states.follow(above, node.byte));
        }
        ++walk.next;
    }
    note_work(work);
    return true;
}

std::shared_ptr<const TokenMask> GrammarCursor::mask(const GrammarBudget & budget) {
    std::lock_guard<std::mutex> lock(grammar_->mutex_);
    grammar_->make_room();
    GrammarStates & states = grammar_->states_;
    if (states.mask(current_) != nullptr) {
        walk_.reset();
        return states.mask(current_);
    }
    if (!walk_) begin_walk();
    if (!go_on(budget)) return nullptr;
    TokenMask & mask = walk_->mask;
    const auto allow = [&](llama_token token) {
        const auto at = static_cast<std::size_t>(token);
        mask[at / 64] |= uint64_t{1} << (at % 64);
    };
    llama_token excluded = LLAMA_TOKEN_NULL;  // by all that take any other token
    bool any = false;
    states.each_token(current_, [&](llama_token id, bool negated) {
        if (negated) {
            excluded = any && excluded != id ? LLAMA_TOKEN_NULL : id;
            any = true;
        } else if (const std::string_view bytes = grammar_->vocab_.bytes(id);
                   !bytes.empty() && bytes[0] != '\0') {
            allow(id);
        }
    });
    if (any) {
        for (const llama_token token : grammar_->vocab_.trie().tokens()) {
            if (token != excluded) allow(token);
        }
    }
    auto made = std::make_shared<const TokenMask>(std::move(mask));
    walk_.reset();
    states.set_mask(current_, made);
    return made;
}

void GrammarCursor::accept(llama_token token) {
    std::lock_guard<std::mutex> lock(grammar_->mutex_);
    const int32_t to = grammar_->states_.accept(current_, token, walk(token));
    if (to == GrammarStates::none)
        throw Failure(ErrorCode::Internal, "A token that the grammar forbids was chosen.");
    current_ = to;
    walk_.reset();
    work_ = 0;
}

}  // namespace r1

// Reads llama.cpp's GBNF into steps. Needs no recursion, so nesting is bounded by the text alone.
// Pure; any thread.
#include <array>
#include <unordered_map>

#include "core/sampling/grammar_builder.h"
#include "core/sampling/grammar_reader.h"

namespace r1 {
namespace {

using Kind = GrammarStep::Kind;
void append_utf8(uint32_t code, std::string & out) {
    constexpr std::array<uint32_t, 4> marks = {0, 0xC0, 0xE0, 0xF0};
    const std::size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    out.push_back(static_cast<char>(marks[more] | (code >> (6 * more))));
    for (std::size_t i = more; i > 0; --i)
        out.push_back(static_cast<char>(0x80 | ((code >> (6 * (i - 1))) & 0x3F)));
}

class Parser : GrammarReader {
public:
    Parser(const std::string & source, const Vocab & vocab, const CompileLimits & limits)
        : GrammarReader(source), vocab_(vocab), limits_(limits) {}

    GrammarProgram parse() {
        space(true);
        while (!done()) rule();
        for (const GrammarRule & rule : builder_.program.rules) {
            if (rule.start < 0)
                throw Failure(ErrorCode::GrammarInvalid,
                              "The grammar uses rule " + rule.name + " in " +
                                  place_in(source_, rule.place) + ", but does not define it.");
        }
        const auto root = numbers_.find("root");
        if (root == numbers_.end())
            throw Failure(ErrorCode::GrammarInvalid, "The grammar has no rule named root.");
        builder_.program.root = root->second;
        finish_program(builder_.program, source_);
        return std::move(builder_.program);
    }

private:
    /** The last item of a sequence, which a following repetition repeats. */
    struct Item {
        enum class Loop : uint8_t { None, Optional, Star, Plus };
        GrammarFragment fragment;
        bool is_there = false;
        Loop loop = Loop::None;
        int32_t fork = 0;      // of a loop: where it decides
        int32_t body_end = 0;  // of a loop: the end of what it repeats
    };
    /** A rule or a group that is being read. */
    struct Level {
        std::vector<int32_t> starts;  // of the alternatives before this one
        int32_t end = 0;              // where all alternatives end
        GrammarFragment sequence;     // this alternative, without its last item
        Item item;
        std::size_t place = 0;
    };

    void check_limits() {
        if (++checks_ % 256 != 0) return;
        if (limits_.cancelled != nullptr && limits_.cancelled->load(std::memory_order_relaxed))
            throw Failure(ErrorCode::Aborted, "Compiling the grammar was cancelled.");
        if (std::chrono::steady_clock::now() > limits_.deadline)
            throw Failure(ErrorCode::GrammarInvalid,
                          "The grammar takes too long to compile. Shorten it.");
    }

    int32_t number_of(const std::string & name, std::size_t place) {
        const auto [found, is_new] =
            numbers_.emplace(name, static_cast<int32_t>(builder_.program.rules.size()));
        if (is_new) builder_.program.rules.push_back({-1, name, place, false});
        return found->second;
    }

    void rule() {
        const std::size_t place = at_;
        const std::string name = word();
        space(false);
        if (source_.compare(at_, 3, "::=") != 0) expect("::=");
        at_ += 3;
        space(true);
        const auto number = static_cast<std::size_t>(number_of(name, place));
        if (builder_.program.rules[number].start >= 0)
            fail("rule " + name + " is defined a second time", place);
        const GrammarFragment body = alternatives();
        builder_.lead(body.end, 0);
        builder_.program.rules[number].start = body.start;
        builder_.program.rules[number].place = place;
        if (!done() && peek() != '\n' && peek() != '\r')
            expect("the end of the line, | or another part of the rule");
        space(true);
    }

    void open() {
        levels_.emplace_back();
        Level & level = levels_.back();
        level.end = builder_.jump();
        level.sequence = builder_.empty();
        level.place = at_;
    }

    // Makes the last item part of its sequence.
    void settle(Level & level) {
        if (level.item.is_there) builder_.append(level.sequence, level.item.fragment);
        level.item = {};
    }

    void end_alternative(Level & level) {
        settle(level);
        builder_.lead(level.sequence.end, level.end);
        level.starts.push_back(level.sequence.start);
    }

    GrammarFragment close() {
        Level & level = levels_.back();
        end_alternative(level);
        int32_t start = level.starts.back();
        for (auto each = level.starts.rbegin() + 1; each != level.starts.rend(); ++each)
            start = builder_.fork(*each, start);
        const GrammarFragment whole{start, level.end};
        levels_.pop_back();
        return whole;
    }

    void put(const GrammarFragment & fragment, bool is_there = true) {
        Level & level = levels_.back();
        settle(level);
        level.item.fragment = fragment;
        level.item.is_there = is_there;
    }

    // Alternatives of a rule, with all groups inside them.
    GrammarFragment alternatives() {
        open();
        for (;;) {
            check_limits();
            const char c = peek();
            const bool nested = levels_.size() > 1;
            if (c == '"') {
                literal();
            } else if (c == '[') {
                set();
            } else if (c == '<' || c == '!') {
                token();
            } else if (is_word(c)) {
                const std::size_t place = at_;
                const std::string name = word();
                put(builder_.single(Kind::Call, number_of(name, place)));
            } else if (c == '.') {
                ++at_;
                put(builder_.characters({{0, last_code_point}}));
            } else if (c == '(') {
                const std::size_t place = at_++;
                space(true);
                open();
                levels_.back().place = place;
                continue;
            } else if (c == ')' && nested) {
                ++at_;
                const GrammarFragment group = close();
                put(group);
                space(levels_.size() > 1);
                continue;
            } else if (c == '|') {
                ++at_;
                end_alternative(levels_.back());
                levels_.back().sequence = builder_.empty();
                space(true);
                continue;
            } else if (c == '*' || c == '+' || c == '?' || c == '{') {
                repetition();
            } else if (nested) {
                expect(") to close the group of " + place_in(source_, levels_.back().place));
            } else {
                return close();
            }
            space(nested);
        }
    }

    void repetition() {
        Item & item = levels_.back().item;
        if (!item.is_there) fail("there is nothing to repeat", at_);
        const std::size_t place = at_;
        const char c = source_[at_++];
        if (c == '*') return loop(item, Item::Loop::Star);
        if (c == '+') return loop(item, Item::Loop::Plus);
        if (c == '?') return loop(item, Item::Loop::Optional);
        const bool nested = levels_.size() > 1;
        space(nested);
        const uint32_t min = count();
        uint32_t max = min;
        space(nested);
        if (peek() == ',') {
            ++at_;
            space(nested);
            max = is_digit(peek()) ? count() : no_limit;
            space(nested);
        }
        if (peek() != '}') expect("} after {m, {m, or {m,n");
        ++at_;
        if (max < min) fail("the repetition's end is below its start", place);
        if (max == 0) {
            item = {};
            return;
        }
        if (min == 1 && max == 1) return;
        if (min == 0 && max == 1) return loop(item, Item::Loop::Optional);
        if (max == no_limit && min < 2)
            return loop(item, min == 0 ? Item::Loop::Star : Item::Loop::Plus);
        item.fragment = builder_.counted(item.fragment, min, max);
        item.loop = Item::Loop::None;
    }

    // A loop of a loop is one loop, so no text of operators makes a deep program.
    void loop(Item & item, Item::Loop wanted) {
        using Loop = Item::Loop;
        if (item.loop != Loop::None) {
            if (item.loop == wanted || item.loop == Loop::Star) return;
            if (item.loop == Loop::Optional) builder_.lead(item.body_end, item.fork);
            item.fragment.start = item.fork;
            item.loop = Loop::Star;
            return;
        }
        const GrammarFragment body = item.fragment;
        const int32_t end = builder_.jump();
        item.fork = builder_.fork(body.start, end);
        item.body_end = body.end;
        item.loop = wanted;
        builder_.lead(body.end, wanted == Loop::Optional ? end : item.fork);
        item.fragment = {wanted == Loop::Plus ? body.start : item.fork, end};
    }

    void literal() {
        const std::size_t place = at_++;
        GrammarFragment whole = builder_.empty();
        bool any = false;
        std::string bytes;
        while (peek() != '"') {
            if (done()) fail("a text is not closed: expected \" after the one", place);
            const uint32_t code = character();
            any = true;
            if (is_surrogate(code)) {
                builder_.append(whole, builder_.characters({}));
                continue;
            }
            bytes.clear();
            append_utf8(code, bytes);
            for (const char each : bytes) {
                const auto value = static_cast<uint8_t>(each);
                const int32_t end = builder_.jump();
                builder_.append(whole, {builder_.byte({value, value}, end), end});
            }
        }
        ++at_;
        put(whole, any);
    }

    void set() {
        const std::size_t place = at_++;
        const bool negated = peek() == '^';
        if (negated) ++at_;
        std::vector<CodeRange> ranges;
        while (peek() != ']') {
            if (done()) fail("a set is not closed: expected ] after the [", place);
            check_limits();
            const uint32_t from = character();
            uint32_t to = from;
            if (peek() == '-' && peek(1) != ']') {
                ++at_;
                to = character();
            }
            ranges.emplace_back(from, to);
        }
        ++at_;
        if (ranges.empty()) return put(builder_.empty(), false);  // as llama.cpp reads it
        put(builder_.characters(negated ? inverted(std::move(ranges)) : ranges));
    }

    // <think> or <[id]>, with a ! before it for any other token.
    void token() {
        const std::size_t place = at_;
        const bool negated = peek() == '!';
        if (negated) ++at_;
        if (peek() != '<') expect("a token: <name> or <[id]>");
        int32_t id = 0;
        if (peek(1) == '[') {
            at_ += 2;
            if (!is_digit(peek())) expect("the id of a token");
            for (; is_digit(peek()); ++at_) {
                id = id * 10 + (peek() - '0');
                if (!vocab_.contains(id))
                    fail("the token is outside the vocabulary of " + std::to_string(vocab_.size()) +
                             " tokens",
                         place);
            }
            if (peek() != ']' || peek(1) != '>') expect("]> after the id of a token");
            at_ += 2;
        } else {
            const std::size_t end = source_.find('>', at_);
            if (end == std::string::npos) fail("a token is not closed: expected >", place);
            const std::string_view name(source_.data() + at_, end + 1 - at_);
            const auto [found, is_new] = tokens_.try_emplace(std::string(name), -1);
            if (is_new) found->second = vocab_.single_token(name);
            id = found->second;
            if (id < 0) {
                const bool is_long = name.size() > 60;
                fail(std::string(name.substr(0, 60)) + (is_long ? "..." : "") +
                         " is not one token of this vocabulary",
                     place);
            }
            at_ = end + 1;
        }
        put(builder_.single(negated ? Kind::NotToken : Kind::Token, id));
    }

    const Vocab & vocab_;
    const CompileLimits & limits_;
    std::size_t checks_ = 0;
    GrammarBuilder builder_;
    std::vector<Level> levels_;
    std::unordered_map<std::string, int32_t> numbers_;
    std::unordered_map<std::string, int32_t> tokens_;
};

}  // namespace

GrammarProgram compile_grammar(const std::string & source, const Vocab & vocab,
                               const CompileLimits & limits) {
    if (source.find('\0') != std::string::npos)
        throw Failure(ErrorCode::GrammarInvalid, "The grammar holds a null character.");
    return Parser(source, vocab, limits).parse();
}

}  // namespace r1

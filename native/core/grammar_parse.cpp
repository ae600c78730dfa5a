// Reads llama.cpp's GBNF into a tree. Pure; any thread.
#include "core/grammar_parse.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <unordered_map>

#include "core/failure.h"

namespace r1 {
namespace {

using Kind = GrammarNode::Kind;
constexpr int deepest_nesting = 64;
constexpr uint32_t most_repeats = 2000;

void append_utf8(uint32_t code, std::string & out) {
    constexpr std::array<uint32_t, 4> marks = {0, 0xC0, 0xE0, 0xF0};
    const std::size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    out.push_back(
        static_cast<char>(static_cast<unsigned char>(marks[more] | (code >> (6 * more)))));
    for (std::size_t i = more; i > 0; --i)
        out.push_back(
            static_cast<char>(static_cast<unsigned char>(0x80 | ((code >> (6 * (i - 1))) & 0x3F))));
}

class Parser {
public:
    Parser(const std::string & source, const Vocab & vocab) : source_(source), vocab_(vocab) {}

    GrammarTree parse() {
        space(true);
        while (!done()) {
            const std::string name = word();
            space(false);
            if (source_.compare(at_, 3, "::=") != 0) fail("expected ::=");
            at_ += 3;
            space(true);
            const auto rule = static_cast<std::size_t>(number_of(name));
            if (defined_[rule]) fail("rule " + name + " is defined twice");
            GrammarNode node = choice(false);
            defined_[rule] = true;
            tree_.rules[rule] = std::move(node);
            if (!done() && peek() != '\n' && peek() != '\r') fail("expected the end of the line");
            space(true);
        }
        for (const auto & [name, number] : numbers_) {
            if (!defined_[static_cast<std::size_t>(number)])
                throw Failure(ErrorCode::GrammarInvalid,
                              "The grammar uses rule " + name + ", but does not define it.");
        }
        const auto root = numbers_.find("root");
        if (root == numbers_.end())
            throw Failure(ErrorCode::GrammarInvalid, "The grammar has no rule named root.");
        tree_.root = root->second;
        return std::move(tree_);
    }

private:
    [[noreturn]] void fail(const std::string & problem) const {
        const auto line =
            std::count(source_.begin(),
                       source_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, source_.size())),
                       '\n') +
            1;
        throw Failure(ErrorCode::GrammarInvalid, "The grammar cannot be read: " + problem +
                                                     " in line " + std::to_string(line) + ".");
    }

    bool done() const { return at_ >= source_.size(); }
    char peek() const { return done() ? '\0' : source_[at_]; }

    void space(bool lines) {
        for (; !done(); ++at_) {
            if (peek() == '#') {
                while (!done() && peek() != '\n' && peek() != '\r') ++at_;
                if (done() || !lines) return;
            }
            const bool blank =
                peek() == ' ' || peek() == '\t' || (lines && (peek() == '\n' || peek() == '\r'));
            if (!blank) return;
        }
    }

    static bool is_word(char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-';
    }

    std::string word() {
        const std::size_t start = at_;
        while (!done() && is_word(peek())) ++at_;
        if (at_ == start) fail("expected a name of letters, digits and -");
        return source_.substr(start, at_ - start);
    }

    int32_t number_of(const std::string & name) {
        const auto [found, is_new] =
            numbers_.emplace(name, static_cast<int32_t>(tree_.rules.size()));
        if (is_new) {
            tree_.rules.emplace_back();
            defined_.push_back(false);
        }
        return found->second;
    }

    GrammarNode choice(bool nested) {
        GrammarNode node;
        node.kind = Kind::Choice;
        node.nodes.push_back(sequence(nested));
        while (peek() == '|') {
            ++at_;
            space(true);
            node.nodes.push_back(sequence(nested));
        }
        return node;
    }

    GrammarNode sequence(bool nested) {
        GrammarNode node;
        node.kind = Kind::Sequence;
        GrammarNode next;
        while (symbol(next)) {
            space(nested);
            while (repetition(next)) space(nested);
            node.nodes.push_back(std::move(next));
            next = {};
        }
        return node;
    }

    bool symbol(GrammarNode & node) {
        const char c = peek();
        if (done()) return false;
        if (c == '"') {
            literal(node);
        } else if (c == '[') {
            set(node);
        } else if (c == '<' || c == '!') {
            token(node);
        } else if (c == '(') {
            if (++nesting_ > deepest_nesting)
                fail("groups are nested more than " + std::to_string(deepest_nesting) + " deep");
            ++at_;
            space(true);
            node = choice(true);
            if (peek() != ')') fail("expected )");
            ++at_;
            --nesting_;
        } else if (c == '.') {
            ++at_;
            node.kind = Kind::Characters;
            node.ranges = {{0, last_code_point}};
        } else if (is_word(c)) {
            node.kind = Kind::Rule;
            node.id = number_of(word());
        } else {
            return false;
        }
        return true;
    }

    // Wraps `node` in the repetition that follows it, if one does.
    bool repetition(GrammarNode & node) {
        uint32_t min = 0;
        uint32_t max = no_limit;
        const char c = peek();
        if (c == '+') {
            min = 1;
        } else if (c == '?') {
            max = 1;
        } else if (c == '{') {
            ++at_;
            space(true);
            min = count();
            max = min;
            space(true);
            if (peek() == ',') {
                ++at_;
                space(true);
                max = std::isdigit(static_cast<unsigned char>(peek())) != 0 ? count() : no_limit;
                space(true);
            }
            if (peek() != '}') fail("expected {m}, {m,} or {m,n}");
            if (max < min) fail("the repetition's end is below its start");
        } else if (c != '*') {
            return false;
        }
        ++at_;
        GrammarNode outer;
        outer.kind = Kind::Repeat;
        outer.min = min;
        outer.max = max;
        outer.nodes.push_back(std::move(node));
        node = std::move(outer);
        return true;
    }

    uint32_t count() {
        uint32_t value = 0;
        if (std::isdigit(static_cast<unsigned char>(peek())) == 0) fail("expected a number");
        for (; std::isdigit(static_cast<unsigned char>(peek())) != 0; ++at_) {
            value = value * 10 + static_cast<uint32_t>(peek() - '0');
            if (value > most_repeats)
                fail("repeats something more than " + std::to_string(most_repeats) + " times");
        }
        return value;
    }

    void literal(GrammarNode & node) {
        ++at_;
        node.kind = Kind::Text;
        while (peek() != '"') append_utf8(character(), node.text);
        ++at_;
    }

    void set(GrammarNode & node) {
        ++at_;
        node.kind = Kind::Characters;
        node.negated = peek() == '^';
        if (node.negated) ++at_;
        while (peek() != ']') {
            const uint32_t from = character();
            const bool range = peek() == '-' && at_ + 1 < source_.size() && source_[at_ + 1] != ']';
            if (range) ++at_;
            node.ranges.emplace_back(from, range ? character() : from);
        }
        ++at_;
    }

    uint32_t character() {
        if (done() || peek() == '\0') fail("unexpected end");
        const auto first = static_cast<unsigned char>(source_[at_++]);
        if (first == '\\') return escape();
        if (first < 0x80) return first;
        const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
        uint32_t code = first & (0x3FU >> more);
        for (int i = 0; i < more && !done(); ++i)
            code = (code << 6) | (static_cast<unsigned char>(source_[at_++]) & 0x3F);
        return std::min(code, last_code_point);
    }

    uint32_t escape() {
        const char c = peek();
        ++at_;
        switch (c) {
            case 'x': return hex(2);
            case 'u': return hex(4);
            case 'U': return hex(8);
            case 't': return '\t';
            case 'r': return '\r';
            case 'n': return '\n';
            case '\\':
            case '"':
            case '[':
            case ']':
            case '-': return static_cast<unsigned char>(c);
            default: fail("unknown escape");
        }
    }

    uint32_t hex(int digits) {
        uint32_t value = 0;
        for (int i = 0; i < digits; ++i, ++at_) {
            if (std::isxdigit(static_cast<unsigned char>(peek())) == 0)
                fail("expected " + std::to_string(digits) + " hex digits");
            const char c = peek();
            value = value * 16 + static_cast<uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
        if (value > last_code_point) fail("there is no such character");
        return value;
    }

    // <think> or <[id]>, with a ! before it for any other token.
    void token(GrammarNode & node) {
        node.kind = Kind::Token;
        node.negated = peek() == '!';
        if (node.negated) ++at_;
        const std::size_t end = source_.find('>', at_);
        if (peek() != '<' || end == std::string::npos) fail("expected a token in <>");
        const std::string name = source_.substr(at_, end + 1 - at_);
        at_ = end + 1;
        if (name.size() > 4 && name[1] == '[' && name[name.size() - 2] == ']') {
            const std::string digits = name.substr(2, name.size() - 4);
            if (digits.size() > 9 ||
                !std::all_of(digits.begin(), digits.end(),
                             [](unsigned char c) { return std::isdigit(c) != 0; }))
                fail("expected a token in <>");
            node.id = std::stoi(digits);
        } else {
            const std::vector<llama_token> ids = vocab_.tokenize_special(name);
            if (ids.size() != 1) fail(name + " is no token of this vocabulary");
            node.id = ids[0];
        }
        if (!vocab_.contains(node.id))
            fail("token " + std::to_string(node.id) + " is outside the vocabulary");
    }

    const std::string & source_;
    const Vocab & vocab_;
    std::size_t at_ = 0;
    int nesting_ = 0;
    GrammarTree tree_;
    std::unordered_map<std::string, int32_t> numbers_;
    std::vector<bool> defined_;
};

}  // namespace

GrammarTree parse_grammar(const std::string & source, const Vocab & vocab) {
    return Parser(source, vocab).parse();
}

}  // namespace r1

// GrammarReader: reads the words, numbers and characters of GBNF and reports the place of a fault.
// Pure; any thread.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>

#include "core/failure.h"
#include "core/sampling/grammar_program.h"
#include "core/sampling/utf8_runs.h"

namespace r1 {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-';
}

class GrammarReader {
protected:
    explicit GrammarReader(const std::string & source) : source_(source) {}

    static constexpr uint32_t max_repeats = 1'000'000;

    [[noreturn]] void fail(const std::string & problem, std::size_t at) const {
        throw Failure(ErrorCode::GrammarInvalid, "The grammar cannot be read: " + problem + " in " +
                                                     place_in(source_, at) + ".");
    }
    [[noreturn]] void expect(const std::string & what) const {
        fail("expected " + what + (done() ? ", but the text ends," : ""), at_);
    }

    bool done() const { return at_ >= source_.size(); }
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
    }

    void space(bool lines) {
        while (!done()) {
            const char c = peek();
            if (c == '#') {
                while (!done() && peek() != '\n' && peek() != '\r') ++at_;
            } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
                ++at_;
            } else {
                return;
            }
        }
    }

    std::string word() {
        const std::size_t start = at_;
        while (is_word(peek())) ++at_;
        if (at_ == start) expect("a name of letters, digits and -");
        return source_.substr(start, at_ - start);
    }

    uint32_t count() {
        if (!is_digit(peek())) expect("a number");
        const std::size_t place = at_;
        uint32_t value = 0;
        for (; is_digit(peek()); ++at_) {
            value = value * 10 + static_cast<uint32_t>(peek() - '0');
            if (value > max_repeats)
                fail("something is repeated more than " + std::to_string(max_repeats) + " times",
                     place);
        }
        return value;
    }

    uint32_t character() {
        if (done()) expect("a character");
        if (peek() == '\0') fail("a null character", at_);
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
            default: fail("unknown escape: expected one of xuUtrn\\\"[]- after the \\", at_ - 2);
        }
    }

    uint32_t hex(int digits) {
        uint32_t value = 0;
        for (int i = 0; i < digits; ++i, ++at_) {
            const char c = peek();
            if (std::isxdigit(static_cast<unsigned char>(c)) == 0)
                expect(std::to_string(digits) + " hexadecimal digits");
            value = value * 16 + static_cast<uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
        if (value > last_code_point)
            fail("there is no such character", at_ - static_cast<std::size_t>(digits) - 2);
        return value;
    }

    const std::string & source_;
    std::size_t at_ = 0;
};

}  // namespace r1

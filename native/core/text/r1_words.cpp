// Cuts a text into the words of R1's pre-tokeniser. The patterns, applied one after the other, each
// to the pieces that the one before left:
//
//   1  \p{N}{1,3}
//   2  [U+4E00-U+9FA5 U+3040-U+309F U+30A0-U+30FF]+
//   3  [ASCII punctuation][A-Za-z]+ | [^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+ | ?[\p{P}\p{S}]+[\r\n]*
//      | \s*[\r\n]+ | \s+(?!\S) | \s+
//
// Text that no pattern matches is one piece, as long as possible.
#include "core/text/r1_words.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/text/upstream_vocab.h"
#include "core/text/utf8.h"

namespace r1 {
namespace {

// What the patterns ask of a character.
constexpr unsigned kNumber = 1;
constexpr unsigned kIdeograph = 2;  // pattern 2
constexpr unsigned kWordPart = 4;   // \p{L} or \p{M}
constexpr unsigned kLetter = 8;
constexpr unsigned kSymbol = 16;  // \p{P} or \p{S}
constexpr unsigned kSpace = 32;   // \s
constexpr unsigned kLineBreak = 64;
constexpr unsigned kBlank = 128;  // U+0020
constexpr unsigned kAsciiLetter = 256;
constexpr unsigned kAsciiSymbol = 512;

unsigned ascii_kind(unsigned c) {
    if (c >= '0' && c <= '9') {
        return kNumber;
    }
    if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
        return kLetter | kWordPart | kAsciiLetter;
    }
    if (c == '\r' || c == '\n') {
        return kSpace | kLineBreak;
    }
    if (c == ' ') {
        return kSpace | kBlank;
    }
    if (c == '\t' || c == '\v' || c == '\f') {
        return kSpace;
    }
    return c > 0x20 && c < 0x7F ? kSymbol | kAsciiSymbol : 0;
}

std::array<std::uint16_t, 128> ascii_kinds() {
    std::array<std::uint16_t, 128> kinds{};
    for (unsigned c = 0; c < 128; ++c) {
        kinds[c] = static_cast<std::uint16_t>(ascii_kind(c));
    }
    return kinds;
}

std::uint16_t kind(std::uint32_t point) {
    static const std::array<std::uint16_t, 128> ascii = ascii_kinds();
    if (point < 128) {
        return ascii[point];
    }
    const CharacterKind is = kind_of(point);
    unsigned found = (point >= 0x4E00 && point <= 0x9FA5) || (point >= 0x3040 && point <= 0x30FF)
                         ? kIdeograph
                         : 0u;
    // In llama.cpp, white space beyond ASCII has no other kind.
    if (is.is_whitespace) {
        return static_cast<std::uint16_t>(found | kSpace);
    }
    found |= is.is_number ? kNumber : 0u;
    found |= is.is_letter ? kLetter | kWordPart : 0u;
    found |= is.is_mark ? kWordPart : 0u;
    found |= is.is_punctuation || is.is_symbol ? kSymbol : 0u;
    return static_cast<std::uint16_t>(found);
}

/** A text as its characters' kinds, and where each begins. */
struct Characters {
    explicit Characters(std::string_view text) {
        kinds.reserve(text.size());
        starts.reserve(text.size() + 1);
        for (std::size_t at = 0; at < text.size();) {
            const Character character = character_at(text, at);
            kinds.push_back(kind(character.code_point));
            starts.push_back(static_cast<std::uint32_t>(at));
            at += character.bytes;
        }
        starts.push_back(static_cast<std::uint32_t>(text.size()));
    }
    std::vector<std::uint16_t> kinds;
    std::vector<std::uint32_t> starts;
};

/** The text in which every character is valid and in its shortest form; empty where it is that. */
std::string repaired(std::string_view text) {
    bool is_well = true;
    for (std::size_t at = 0; at < text.size() && is_well;) {
        const Character character = character_at(text, at);
        const std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        is_well = character.is_valid && character.code_point >= least[character.bytes];
        at += character.bytes;
    }
    std::string well;
    for (std::size_t at = 0; at < text.size() && !is_well;) {
        const Character character = character_at(text, at);
        append_utf8(character.code_point, well);
        at += character.bytes;
    }
    return well;
}

class Splitter {
public:
    Splitter(std::string_view text, const std::function<void(std::string_view)> & word)
        : text_(text), word_(word), characters_(text), kinds_(characters_.kinds) {}

    // Pattern 1: numbers, three digits at a time.
    void split() {
        const std::size_t end = kinds_.size();
        for (std::size_t at = 0; at < end;) {
            std::size_t to = at;
            if (is(at, kNumber)) {
                while (to < end && to - at < 3 && is(to, kNumber)) {
                    ++to;
                }
                emit(at, to);
            } else {
                while (to < end && !is(to, kNumber)) {
                    ++to;
                }
                split_ideographs(at, to);
            }
            at = to;
        }
    }

private:
    bool is(std::size_t at, unsigned kind) const { return (kinds_[at] & kind) != 0; }
    bool is(std::size_t at, std::size_t end, unsigned kind) const {
        return at < end && is(at, kind);
    }

    void emit(std::size_t from, std::size_t to) const {
        const std::uint32_t start = characters_.starts[from];
        word_(text_.substr(start, characters_.starts[to] - start));
    }

    // Pattern 2: runs of ideographs and kana.
    void split_ideographs(std::size_t from, std::size_t end) const {
        for (std::size_t at = from; at < end;) {
            const bool is_run = is(at, kIdeograph);
            std::size_t to = at;
            while (to < end && is(to, kIdeograph) == is_run) {
                ++to;
            }
            split_words(at, to);
            at = to;
        }
    }

    // Pattern 3. Matches begin where the one before ended; what lies between them is one piece.
    void split_words(std::size_t from, std::size_t end) const {
        std::size_t unmatched = from;
        for (std::size_t at = from; at < end;) {
            const std::size_t to = match(at, end);
            if (to == at) {
                ++at;
                continue;
            }
            if (unmatched < at) {
                emit(unmatched, at);
            }
            emit(at, to);
            at = unmatched = to;
        }
        if (unmatched < end) {
            emit(unmatched, end);
        }
    }

    /** Where the match that begins at `at` ends; `at` itself: there is none. */
    std::size_t match(std::size_t at, std::size_t end) const {
        if (is(at, kAsciiSymbol) && is(at + 1, end, kAsciiLetter)) {
            return run(at + 1, end, kAsciiLetter);
        }
        const bool may_lead = !is(at, kLineBreak | kLetter | kSymbol);
        if (may_lead && is(at + 1, end, kWordPart)) {
            return run(at + 1, end, kWordPart);
        }
        if (is(at, kWordPart)) {
            return run(at, end, kWordPart);
        }
        const std::size_t symbol = is(at, kBlank) ? at + 1 : at;
        if (is(symbol, end, kSymbol)) {
            return run(run(symbol, end, kSymbol), end, kLineBreak);
        }
        return is(at, kSpace) ? match_space(at, end) : at;
    }

    std::size_t match_space(std::size_t at, std::size_t end) const {
        const std::size_t to = run(at, end, kSpace);
        // \s*[\r\n]+ goes up to the last line break.
        for (std::size_t last = to; last > at; --last) {
            if (is(last - 1, kLineBreak)) {
                return last;
            }
        }
        // \s+(?!\S) leaves the last one to what follows.
        return to < end && to - at > 1 ? to - 1 : to;
    }

    std::size_t run(std::size_t at, std::size_t end, unsigned kind) const {
        while (is(at, end, kind)) {
            ++at;
        }
        return at;
    }

    std::string_view text_;
    const std::function<void(std::string_view)> & word_;
    Characters characters_;
    const std::vector<std::uint16_t> & kinds_;
};

}  // namespace

void split_r1_words(std::string_view text, const std::function<void(std::string_view)> & word) {
    const std::string well = repaired(text);
    Splitter(well.empty() ? text : std::string_view(well), word).split();
}

}  // namespace r1

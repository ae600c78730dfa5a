// Reading UTF-8 as llama.cpp does (unicode_cpt_from_utf8, unicode.cpp). Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace r1 {

/** One character of a text. */
struct Character {
    std::uint32_t code_point;
    std::uint32_t bytes;  // 1 .. 4
    bool is_valid;        // else one byte that begins no character; its code point is U+FFFD
};

/** The character that begins at `at`, which is inside the text. */
inline Character character_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const auto follows = [&](std::size_t count) {
        if (text.size() - at <= count) {
            return false;
        }
        for (std::size_t i = 1; i <= count; ++i) {
            if ((byte(i) & 0xC0u) != 0x80u) {
                return false;
            }
        }
        return true;
    };
    const std::uint32_t first = byte(0);
    if (first < 0x80) {
        return {first, 1, true};
    }
    if (first >= 0xC0 && first < 0xE0 && follows(1)) {
        return {(first & 0x1Fu) << 6 | (byte(1) & 0x3Fu), 2, true};
    }
    if (first >= 0xE0 && first < 0xF0 && follows(2)) {
        return {(first & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu), 3, true};
    }
    if (first >= 0xF0 && first < 0xF8 && follows(3)) {
        const std::uint32_t point = (first & 0x07u) << 18 | (byte(1) & 0x3Fu) << 12 |
                                    (byte(2) & 0x3Fu) << 6 | (byte(3) & 0x3Fu);
        // Beyond Unicode llama.cpp throws; here an impossible character counts as invalid bytes.
        if (point <= 0x10FFFF) {
            return {point, 4, true};
        }
    }
    return {0xFFFD, 1, false};
}

/** Appends a code point up to U+10FFFF. */
inline void append_utf8(std::uint32_t point, std::string & out) {
    if (point < 0x80) {
        out += static_cast<char>(point);
    } else if (point < 0x800) {
        out += static_cast<char>(0xC0u | point >> 6);
        out += static_cast<char>(0x80u | (point & 0x3Fu));
    } else if (point < 0x10000) {
        out += static_cast<char>(0xE0u | point >> 12);
        out += static_cast<char>(0x80u | (point >> 6 & 0x3Fu));
        out += static_cast<char>(0x80u | (point & 0x3Fu));
    } else {
        out += static_cast<char>(0xF0u | point >> 18);
        out += static_cast<char>(0x80u | (point >> 12 & 0x3Fu));
        out += static_cast<char>(0x80u | (point >> 6 & 0x3Fu));
        out += static_cast<char>(0x80u | (point & 0x3Fu));
    }
}

}  // namespace r1

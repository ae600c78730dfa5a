// Claims about Utf8Gate: whole characters only, whatever the cuts, and the same replacements as the
// standard's for broken bytes.
#include "core/text/utf8_gate.h"

#include "test/check.h"

namespace {

using r1::Utf8Gate;

std::string all_at_once(const std::string & bytes) {
    Utf8Gate gate;
    std::string text = gate.push(bytes);
    return text + gate.flush();
}

// Length of the well-formed character at `at` by the table of the Unicode standard (3-7), written
// the slow way; 0: none.
std::size_t character_at(const std::string & bytes, std::size_t at) {
    const auto byte = [&](std::size_t i) {
        return at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0u;
    };
    const auto tail = [&](std::size_t i) { return byte(i) >= 0x80 && byte(i) <= 0xBF; };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    uint32_t code = 0;
    std::size_t length = 0;
    if ((first & 0xE0) == 0xC0 && tail(1)) {
        code = (first & 0x1Fu) << 6 | (byte(1) & 0x3Fu);
        length = code >= 0x80 ? 2 : 0;
    } else if ((first & 0xF0) == 0xE0 && tail(1) && tail(2)) {
        code = (first & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu);
        length = code >= 0x800 && (code < 0xD800 || code > 0xDFFF) ? 3 : 0;
    } else if ((first & 0xF8) == 0xF0 && tail(1) && tail(2) && tail(3)) {
        code = (first & 0x07u) << 18 | (byte(1) & 0x3Fu) << 12 | (byte(2) & 0x3Fu) << 6 |
               (byte(3) & 0x3Fu);
        length = code >= 0x10000 && code <= 0x10FFFF ? 4 : 0;
    }
    return length;
}

bool is_whole(const std::string & text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = character_at(text, at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

std::string encode(uint32_t code) {
    std::string out;
    const auto put = [&out](uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | code >> 6);
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3F));
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    }
    return out;
}

// Every way to cut the bytes into chunks gives the same text, and each piece that leaves is whole
// characters.
void check_all_cuts(const std::string & bytes) {
    const std::string expected = all_at_once(bytes);
    for (uint32_t cuts = 0; cuts < 1u << (bytes.size() - 1); ++cuts) {
        Utf8Gate gate;
        std::string text;
        std::string chunk;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            chunk += bytes[i];
            if (i + 1 == bytes.size() || (cuts >> i & 1) != 0) {
                const std::string piece = gate.push(chunk);
                CHECK(is_whole(piece));
                text += piece;
                chunk.clear();
            }
        }
        text += gate.flush();
        CHECK_EQUAL(text, expected);
        CHECK(!gate.is_open());
    }
}

R1_TEST("utf8 gate: every character passes unchanged, held back exactly until its last byte") {
    for (uint32_t code = 0; code <= 0x10FFFF; code += code < 0x3000 ? 1 : 97) {
        if (code >= 0xD800 && code <= 0xDFFF) continue;
        const std::string character = encode(code);
        Utf8Gate gate;
        for (std::size_t i = 0; i + 1 < character.size(); ++i) {
            CHECK_EQUAL(gate.push(character.substr(i, 1)), std::string());
            CHECK(gate.is_open());
        }
        CHECK_EQUAL(gate.push(character.substr(character.size() - 1)), character);
        CHECK(!gate.is_open());
    }
}

R1_TEST("utf8 gate: all cuts of valid text give that text") {
    for (const std::string text :
         {"a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z", "\xE4\xBD\xA0\xE5\xA5\xBD",
          "\xF4\x8F\xBF\xBF\xED\x9F\xBF\xEE\x80\x80", "plain"}) {
        CHECK_EQUAL(all_at_once(text), std::string(text));
        check_all_cuts(text);
    }
}

R1_TEST("utf8 gate: all cuts of broken bytes give the same text, one U+FFFD for each broken part") {
    const std::string mark = "\xEF\xBF\xBD";
    CHECK_EQUAL(all_at_once("\x80"), mark);
    CHECK_EQUAL(all_at_once("a\xC3"), "a" + mark);
    CHECK_EQUAL(all_at_once("\xE2\x82"
                            "a"),
                mark + "a");
    CHECK_EQUAL(all_at_once("\xE2\x82\xE2\x82\xAC"), mark + "\xE2\x82\xAC");
    CHECK_EQUAL(all_at_once("\xC0\x80"), mark + mark);             // overlong
    CHECK_EQUAL(all_at_once("\xED\xA0\x80"), mark + mark + mark);  // a surrogate
    CHECK_EQUAL(all_at_once("\xF4\x90\x80\x80"), mark + mark + mark + mark);
    CHECK_EQUAL(all_at_once("\xF0\x9F\x98"), mark);
    CHECK_EQUAL(all_at_once("\xFF\xFE"
                            "b"),
                mark + mark + "b");
    for (const char * bytes :
         {"\xE2\x82\xE2\x82\xAC\xC3", "\xF0\x9F\x98\xF0\x9F\x98\x80", "\xED\xA0\x80\xC3\xA9\x80",
          "\xF4\x90\x80\x80\xFF"
          "a\xE0\x80"}) {
        check_all_cuts(bytes);
    }
}

R1_TEST("utf8 gate: random bytes in random chunks give whole characters, and valid parts survive") {
    r1::test::Dice dice(1);
    const std::vector<std::string> parts = {
        "a",        "\xC3\xA9", "\xE4\xBD\xA0", "\xF0\x9F\x98\x80", "\x80", "\xC3",
        "\xE2\x82", "\xF0\x9F", "\xFF",         "\xED\xA0\x80"};
    for (int round = 0; round < 3000; ++round) {
        std::string bytes;
        for (std::size_t i = dice.below(12); i > 0; --i) {
            bytes += dice.below(6) == 0 ? std::string(1, static_cast<char>(dice.below(256)))
                                        : dice.pick(parts);
        }
        Utf8Gate gate;
        std::string text;
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t length = 1 + dice.below(4);
            text += gate.push(bytes.substr(at, length));
            CHECK(is_whole(text));
            at += length;
        }
        text += gate.flush();
        CHECK_EQUAL(text, all_at_once(bytes));
        std::string kept;
        std::string expected;
        for (std::size_t at = 0; at < text.size(); at += character_at(text, at)) {
            const std::string one = text.substr(at, character_at(text, at));
            if (one != "\xEF\xBF\xBD") kept += one;
        }
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t length = character_at(bytes, at);
            if (length > 0) expected += bytes.substr(at, length);
            at += std::max<std::size_t>(length, 1);
        }
        CHECK_EQUAL(kept, expected);
    }
}

}  // namespace

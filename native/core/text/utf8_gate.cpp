// Utf8Gate: releases only whole characters; a character whose bytes are spread over several tokens
// is released with the last of them. One owner, no lock.
#include "core/text/utf8_gate.h"

namespace r1 {
namespace {

constexpr const char * replacement = "\xEF\xBF\xBD";

struct Lead {
    int length;         // bytes of the character; 0: no character begins with this byte
    unsigned char low;  // range of the second byte (Unicode, table 3-7)
    unsigned char high;
};

Lead lead_of(unsigned char c) {
    if (c < 0x80) return {1, 0, 0};
    if (c >= 0xC2 && c <= 0xDF) return {2, 0x80, 0xBF};
    if (c == 0xE0) return {3, 0xA0, 0xBF};
    if (c == 0xED) return {3, 0x80, 0x9F};
    if (c >= 0xE1 && c <= 0xEF) return {3, 0x80, 0xBF};
    if (c == 0xF0) return {4, 0x90, 0xBF};
    if (c >= 0xF1 && c <= 0xF3) return {4, 0x80, 0xBF};
    if (c == 0xF4) return {4, 0x80, 0x8F};
    return {0, 0, 0};
}

}  // namespace

std::string Utf8Gate::push(std::string_view bytes) {
    held_.append(bytes);
    std::string out;
    std::size_t at = 0;
    while (at < held_.size()) {
        const Lead lead = lead_of(static_cast<unsigned char>(held_[at]));
        if (lead.length == 0) {
            out += replacement;
            ++at;
            continue;
        }
        int have = 1;
        bool broken = false;
        while (have < lead.length && at + static_cast<std::size_t>(have) < held_.size()) {
            const auto c = static_cast<unsigned char>(held_[at + static_cast<std::size_t>(have)]);
            const unsigned char low = have == 1 ? lead.low : 0x80;
            const unsigned char high = have == 1 ? lead.high : 0xBF;
            if (c < low || c > high) {
                broken = true;
                break;
            }
            ++have;
        }
        if (broken) {
            out += replacement;
            at += static_cast<std::size_t>(have);
        } else if (have < lead.length) {
            break;  // the rest comes with a later token
        } else {
            out.append(held_, at, static_cast<std::size_t>(have));
            at += static_cast<std::size_t>(have);
        }
    }
    held_.erase(0, at);
    return out;
}

std::string Utf8Gate::flush() {
    const bool open = is_open();
    held_.clear();
    return open ? replacement : std::string();
}

}  // namespace r1

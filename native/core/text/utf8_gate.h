// Utf8Gate: releases only whole characters; a character whose bytes are spread over several tokens
// is released with the last of them. One owner, no lock.
#pragma once

#include <string>
#include <string_view>

namespace r1 {

class Utf8Gate {
public:
    /** Takes the bytes of one token and returns the text that is complete now. Bytes that can begin
     * no character come out as U+FFFD. */
    std::string push(std::string_view bytes);

    /** The rest at the end: U+FFFD for an incomplete character, else nothing. */
    std::string flush();

    /** Whether a character is under way. */
    bool is_open() const { return !held_.empty(); }

private:
    std::string held_;
};

}  // namespace r1

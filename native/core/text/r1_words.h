// Cuts a text into the words of R1's pre-tokeniser (`deepseek-v3`), in linear time and constant
// stack. llama.cpp uses three std::regex (llama-vocab.cpp, LLAMA_VOCAB_PRE_TYPE_DEEPSEEK3_LLM),
// which recurse once for each character. Pure; any thread.
#pragma once

#include <functional>
#include <string_view>

namespace r1 {

/**
 * Calls `word` for each word of the text, in order and without gaps.
 *
 * @param text UTF-8. Bytes that are no character come as the words of U+FFFD, as llama.cpp has it,
 * and so does a character that is written longer than it must be, in its shortest form. The views
 * live until `word` returns.
 */
void split_r1_words(std::string_view text, const std::function<void(std::string_view)> & word);

}  // namespace r1

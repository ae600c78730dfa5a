// Claims about tokenising: our own splitter and merging give upstream's ids for any text, in
// bounded stack and linear time.
#include <pthread.h>

#include <cstdlib>
#include <stdexcept>

#include "core/failure.h"
#include "core/text/deep_stack.h"
#include "core/text/r1_words.h"
#include "core/text/tokenizer.h"
#include "core/text/vocab.h"
#include "test/check.h"
#include "test/tiny_model.h"

namespace {

using namespace r1;

std::vector<llama_token> upstream(const llama_vocab * vocab, const std::string & text,
                                  bool special) {
    std::vector<llama_token> ids(4 * text.size() + 8);
    const int32_t count =
        llama_tokenize(vocab, text.data(), static_cast<int32_t>(text.size()), ids.data(),
                       static_cast<int32_t>(ids.size()), false, special);
    CHECK(count >= 0);
    ids.resize(static_cast<std::size_t>(count));
    return ids;
}

void append_character(std::uint32_t point, std::string & out) {
    if (point < 0x80) {
        out += static_cast<char>(point);
    } else if (point < 0x800) {
        out += static_cast<char>(0xC0 | point >> 6);
        out += static_cast<char>(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        out += static_cast<char>(0xE0 | point >> 12);
        out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (point & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | point >> 18);
        out += static_cast<char>(0x80 | (point >> 12 & 0x3F));
        out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (point & 0x3F));
    }
}

/** A character out of one of the groups that the patterns tell apart, or any at all. */
std::uint32_t any_character(test::Dice & dice) {
    static const std::vector<std::vector<std::uint32_t>> groups = {
        {'a', 'b', 'Z', 's', 't', 'e'},
        {'0', '1', '9', 0x0663, 0x00B2, 0x2167},
        {' ', ' ', '\t', 0x0B, 0x0C, 0x85, 0xA0, 0x2003, 0x3000, 0x1680},
        {'\n', '\r'},
        {'!', '\'', '[', '\\', ']', '_', '{', '}', '-', '/', '@', '"'},
        {'$', '+', '<', '>', '^', '`', '|', '~', '='},
        {0x4E00, 0x9FA5, 0x9FA6, 0x3400, 0x3041, 0x3040, 0x3097, 0x3099, 0x309B, 0x30A0, 0x30FB,
         0x30FC, 0x30FF, 0x3100},
        {0x0301, 0x0300, 0x093E, 0x20DD, 0x3099},
        {0x00E9, 0x0416, 0x05D0, 0x0E01, 0xAC00, 0x1E00, 0x0130},
        {0xFF5C, 0x2581, 0x2014, 0x3001, 0x00B7, 0x00A7},
        {0x20AC, 0x00A9, 0x1F600, 0x1F468, 0x2194},
        {0, 1, 7, 0x1B, 0x7F, 0x200D, 0xFEFF, 0xFFFD, 0xE000, 0xFFFF, 0x10FFFF, 0x0378},
    };
    const std::size_t group = dice.below(groups.size() + 1);
    if (group < groups.size()) {
        return groups[group][dice.below(groups[group].size())];
    }
    const auto point = static_cast<std::uint32_t>(dice.below(0x110000));
    return point >= 0xD800 && point < 0xE000 ? 0x61 : point;
}

/** A text of runs: of one group, of any, of special tokens' texts and their halves, of words. */
std::string any_text(test::Dice & dice, const Vocab & vocab) {
    static const std::vector<std::string> words = {
        "Hello", " world", "don't", "12345", "  ",    "\r\n", "...", "http://a.b/c?d=e",
        "<|x|>", " \n \n", "'s",    "!!!a",  "\t\tif"};
    std::string text;
    const std::size_t runs = dice.below(12);
    for (std::size_t run = 0; run < runs; ++run) {
        const std::size_t kind = dice.below(5);
        if (kind == 0) {
            const auto & specials = vocab.special_tokens();
            const std::string & special = specials[dice.below(specials.size())].text;
            text += dice.coin() ? special : special.substr(0, dice.below(special.size() + 1));
        } else if (kind == 1) {
            text += words[dice.below(words.size())];
        } else if (kind == 2) {
            const std::uint32_t point = any_character(dice);
            for (std::size_t i = dice.below(9); i > 0; --i) append_character(point, text);
        } else {
            for (std::size_t i = dice.below(12); i > 0; --i) {
                append_character(any_character(dice), text);
            }
        }
    }
    // Also bytes that are no characters, which JavaScript never sends.
    if (!text.empty() && dice.below(20) == 0) {
        text[dice.below(text.size())] = static_cast<char>(0x80 + dice.below(0x78));
    }
    return text;
}

long number_from(const char * name, long otherwise) {
    const char * text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtol(text, nullptr, 10);
}

/** The vocabulary that R1_FUZZ_VOCAB names, or the embedded one. */
std::shared_ptr<Model> vocabulary() {
    const char * path = std::getenv("R1_FUZZ_VOCAB");
    return path == nullptr ? test::tiny_model() : test::vocabulary_of(path);
}

std::string shown(const std::string & text) {
    static const char * hex = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7F) {
            out += c;
        } else {
            out += std::string("\\x") + hex[byte >> 4] + hex[byte & 15];
        }
    }
    return out;
}

R1_TEST("text: random texts have upstream's ids, special tokens parsed or not") {
    const std::shared_ptr<Model> model = vocabulary();
    const Vocab & vocab = model->vocab();
    const Tokenizer tokenizer(vocab.handle(), vocab.special_tokens());
    test::Dice dice(static_cast<uint32_t>(number_from("R1_FUZZ_SEED", 7)));
    const long count = number_from("R1_FUZZ_TEXTS", 3000);
    for (long i = 0; i < count; ++i) {
        const std::string text = any_text(dice, vocab);
        const bool special = dice.coin();
        std::vector<llama_token> expected;
        try {
            expected = upstream(vocab.handle(), text, special);
        } catch (const std::invalid_argument &) {
            static_cast<void>(tokenizer.tokenize(text, special));
            continue;  // bytes of a character beyond Unicode: upstream throws
        }
        if (tokenizer.tokenize(text, special) != expected) {
            test::refute(__FILE__, __LINE__, "other ids than upstream's for " + shown(text));
        }
    }
}

R1_TEST("text: the words of a text are the text") {
    const std::shared_ptr<Model> model = test::tiny_model();
    test::Dice dice(11);
    for (int i = 0; i < 2000; ++i) {
        std::string text;
        for (std::size_t length = dice.below(40); length > 0; --length) {
            append_character(any_character(dice), text);
        }
        std::string joined;
        split_r1_words(text, [&](std::string_view word) {
            CHECK(!word.empty());
            joined += word;
        });
        CHECK_EQUAL(shown(joined), shown(text));
    }
}

/** A megabyte of one kind of text. */
std::vector<std::pair<std::string, std::string>> long_texts() {
    const auto repeated = [](const std::string & piece) {
        std::string text;
        while (text.size() < 1000000) text += piece;
        return text;
    };
    std::string mixed;
    test::Dice dice(3);
    while (mixed.size() < 1000000) append_character(any_character(dice), mixed);
    return {{"one letter", repeated("Z")},
            {"ideographs", repeated("\xE4\xBD\xA0\xE5\xA5\xBD")},
            {"kana", repeated("\xE3\x81\x82")},
            {"Hangul", repeated("\xEA\xB0\x80")},
            {"spaces", repeated(" ")},
            {"line breaks", repeated("\n")},
            {"returns", repeated("\r\n")},
            {"tabs", repeated("\t")},
            {"dashes", repeated("-")},
            {"signs", repeated("!@#$%^&*()")},
            {"digits", repeated("1234567890")},
            {"emoji", repeated("\xF0\x9F\x98\x80")},
            {"joined emoji", repeated("\xF0\x9F\x91\xA8\xE2\x80\x8D")},
            {"base64", repeated("TWFuIGlzIGRpc3Rpbmd1aXNoZWQ")},
            {"code", repeated("function(a,b){return a+b;}var c=d[0]||{};")},
            {"DNA", repeated("ACGTTGCAAC")},
            {"mixed", mixed},
            {"marks", repeated("\xCC\x81")},
            {"controls", repeated("\x01")},
            {"English", repeated("The quick brown fox jumps over the lazy dog. ")}};
}

R1_TEST("text: a megabyte of any kind is tokenised on a stack of 128 KiB and comes back") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    for (const auto & [name, text] : long_texts()) {
        std::vector<llama_token> ids;
        run_on_deep_stack(128 * 1024, [&, &content = text] { ids = vocab.tokenize_safe(content); });
        CHECK(vocab.detokenize(ids.data(), ids.size()) == text);
    }
}

R1_TEST("text: one longer than the bound is refused before any work") {
    const std::shared_ptr<Model> model = test::tiny_model();
    CHECK_FAILS(model->vocab().tokenize_safe(std::string(max_text_bytes + 1, 'a')),
                ErrorCode::TextTooLong);
}

R1_TEST("text: a text has at least as many tokens as its bytes and the longest token say") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    test::Dice dice(5);
    for (int i = 0; i < 1000; ++i) {
        const std::string text = any_text(dice, vocab);
        const std::size_t tokens = vocab.tokenize_special(text).size();
        CHECK(tokens * static_cast<std::size_t>(vocab.longest_token()) >= text.size());
    }
}

R1_TEST("text: what a deep stack's work throws comes out, and a stack that cannot be is refused") {
    try {
        run_on_deep_stack(1 << 20, [] { throw Failure(ErrorCode::Internal, "inside"); });
        CHECK(false);
    } catch (const Failure & failure) {
        CHECK_EQUAL(std::string(failure.what()), std::string("inside"));
    }
    CHECK_FAILS(run_on_deep_stack(std::size_t{1} << 46, [] {}), ErrorCode::ResourceExhausted);
}

}  // namespace

// Claims about Vocab on the embedded model: no text becomes a special token unless asked, and text
// comes back.
#include "core/text/vocab.h"

#include "core/failure.h"
#include "test/check.h"
#include "test/tiny_model.h"

namespace {

using namespace r1;

std::vector<llama_token> upstream(const Vocab & vocab, const std::string & text, bool special) {
    std::vector<llama_token> ids(text.size() + 8);
    const int32_t count =
        llama_tokenize(vocab.handle(), text.data(), static_cast<int32_t>(text.size()), ids.data(),
                       static_cast<int32_t>(ids.size()), false, special);
    CHECK(count >= 0);
    ids.resize(static_cast<std::size_t>(count));
    return ids;
}

// The beginning of a text, about `bytes` long, cut between two characters.
std::string head(const std::string & text, std::size_t bytes) {
    while (bytes > 0 && bytes < text.size() &&
           (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80)
        --bytes;
    return text.substr(0, bytes);
}

std::string text_of(const Vocab & vocab, const std::vector<llama_token> & ids) {
    return vocab.detokenize(ids.data(), ids.size());
}

R1_TEST(
    "vocab: special strings, their halves, nested and repeated, never become special ids, and the "
    "text comes back") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    std::vector<std::string> parts = {"a",
                                      " ",
                                      "<",
                                      ">",
                                      "</",
                                      "|",
                                      "\xEF\xBD\x9C",
                                      "think",
                                      "\n",
                                      "1+1",
                                      "\xE4\xBD\xA0",
                                      "\xF0\x9F\x98\x80"};
    for (const SpecialToken & token : vocab.special_tokens()) {
        parts.push_back(token.text);
        const std::string half = head(token.text, token.text.size() / 2);
        const std::string first = head(token.text, 4);
        parts.push_back(half);
        parts.push_back(token.text.substr(half.size()));
        parts.push_back(first + token.text + token.text.substr(first.size()));
        const std::vector<llama_token> alone = vocab.tokenize_safe(token.text);
        CHECK(std::none_of(alone.begin(), alone.end(),
                           [&](llama_token id) { return vocab.is_special(id); }));
        CHECK_EQUAL(text_of(vocab, alone), token.text);
    }
    CHECK(vocab.special_tokens().size() > 5);
    test::Dice dice(5);
    for (int round = 0; round < 2000; ++round) {
        std::string text;
        for (std::size_t i = dice.below(10); i > 0; --i) text += dice.pick(parts);
        const std::vector<llama_token> ids = vocab.tokenize_safe(text);
        CHECK(std::none_of(ids.begin(), ids.end(),
                           [&](llama_token id) { return vocab.is_special(id); }));
        CHECK_EQUAL(text_of(vocab, ids), text);
    }
}

R1_TEST(
    "vocab: text without a special string has llama.cpp's own ids, and with them asked for, too") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    const std::vector<std::string> parts = {"What",
                                            " is ",
                                            "12",
                                            "+",
                                            "345",
                                            "?",
                                            "\n\n",
                                            "  ",
                                            "\t",
                                            "don't",
                                            "\xE4\xBD\xA0\xE5\xA5\xBD",
                                            "\xF0\x9F\x98\x80",
                                            "caf\xC3\xA9",
                                            "<b>",
                                            "{\"a\": 1}"};
    std::vector<std::string> with_special = parts;
    for (const SpecialToken & token : vocab.special_tokens()) with_special.push_back(token.text);
    test::Dice dice(6);
    for (int round = 0; round < 500; ++round) {
        std::string plain;
        std::string marked;
        for (std::size_t i = 1 + dice.below(10); i > 0; --i) {
            plain += dice.pick(parts);
            marked += dice.pick(with_special);
        }
        CHECK(vocab.tokenize_safe(plain) == upstream(vocab, plain, true));
        CHECK(vocab.tokenize_special(marked) == upstream(vocab, marked, true));
    }
}

R1_TEST("vocab: no text is no tokens, and an id outside the vocabulary is refused") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    CHECK(vocab.tokenize_safe("").empty());
    CHECK(vocab.tokenize_special("").empty());
    for (const llama_token id : {-1, vocab.size(), 1 << 30}) {
        CHECK(!vocab.contains(id) && !vocab.is_special(id) && !vocab.is_end_of_generation(id));
        CHECK_FAILS(vocab.detokenize(&id, 1), ErrorCode::InvalidArgument);
    }
}

}  // namespace

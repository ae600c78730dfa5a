// Claims about Grammar: it allows what llama.cpp's own sampler allows, token by token, and no
// grammar makes it slow.
#include "core/sampling/grammar.h"

#include <llama-cpp.h>

#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include "core/failure.h"
#include "test/check.h"
#include "test/engine/requests.h"
#include "test/tiny_model.h"

namespace {

using namespace r1;

/** Which tokens llama.cpp's grammar sampler lets through, those that end a generation left out. */
std::vector<bool> allowed_upstream(llama_sampler * grammar, const Vocab & vocab) {
    std::vector<llama_token_data> data;
    for (llama_token id = 0; id < vocab.size(); ++id) data.push_back({id, 1.0f, 0.0f});
    llama_token_data_array array{data.data(), data.size(), -1, false};
    llama_sampler_apply(grammar, &array);
    std::vector<bool> allowed(data.size(), false);
    for (std::size_t i = 0; i < data.size(); ++i)
        allowed[i] =
            data[i].logit > -INFINITY && !vocab.is_end_of_generation(static_cast<llama_token>(i));
    return allowed;
}

/** Whether more bytes can make UTF-8 of these. llama.cpp also lets bytes through that never can;
 * ours does not. */
bool is_utf8_so_far(const std::string & bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        const auto first = static_cast<unsigned char>(bytes[at]);
        if (first < 0x80) {
            ++at;
            continue;
        }
        if (first < 0xC2 || first > 0xF4) return false;
        const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
        for (std::size_t i = 1; i < length && at + i < bytes.size(); ++i) {
            const auto next = static_cast<unsigned char>(bytes[at + i]);
            const unsigned low = i > 1 ? 0x80 : first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
            const unsigned high = i > 1 ? 0xBF : first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
            if (next < low || next > high) return false;
        }
        at += length;
    }
    return true;
}

bool ends_upstream(llama_sampler * grammar, const Vocab & vocab) {
    for (llama_token id = 0; id < vocab.size(); ++id) {
        if (!vocab.is_end_of_generation(id)) continue;
        llama_token_data data{id, 1.0f, 0.0f};
        llama_token_data_array array{&data, 1, -1, false};
        llama_sampler_apply(grammar, &array);
        return data.logit > -INFINITY;
    }
    return false;
}

std::string repeated(const std::string & text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

const std::vector<std::string> ordinary = {
    "root ::= [0-9]+ \"!\"",
    "root ::= \"yes\" | \"no\" | \"not now\"",
    "root ::= [^\"\\\\\\x00-\\x1F]* \"\\\"\"",
    "root ::= (item \", \")* item \".\" # a comment\nitem ::=\n  [a-z]{2,5} |\n  [A-Z] [a-z]?\n",
    "root ::= \"(\" root \")\" | \"[\" root \"]\" | [a-e]",
    "root ::= [\\u4e00-\\u9fff]+ \"\\n\" [^\\u4e00-\\u9fff] .{0,3} \"é\"",
    "root ::= <think> !<think> \"x\" | <[90]> \"y\"",
    "root ::= ((\"a\" | \"b\"){2,3} \"c\"?)+ [\\]\\-^] \"\\x41\\U0001F600\"",
    "root ::= object\nvalue ::= object | array | string | number | \"true\" | \"null\"\nobject ::= "
    "\"{\" ws (string \":\" ws value (\",\" ws string \":\" ws "
    "value)*)? \"}\"\n"
    "array ::= \"[\" ws (value (\",\" ws value)*)? \"]\"\nstring ::= \"\\\"\" "
    "([^\"\\\\\\x7F\\x00-\\x1F] | \"\\\\\" [\"\\\\bfnrt])* \"\\\"\"\n"
    "number ::= \"-\"? [0-9]+ (\".\" [0-9]+)?\nws ::= | \" \" | \"\\n\" [ \\t]{0,20}",
    "root ::= \"\" | \"a\"? \"b\"{0,3} \"c\"{2,}",
};

R1_TEST("grammar: allows what llama.cpp's own sampler allows, along random texts") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    test::Dice dice(17);
    for (const std::string & source : ordinary) {
        const std::shared_ptr<Grammar> compiled = Grammar::compile(vocab, source);
        for (int round = 0; round < 8; ++round) {
            GrammarCursor ours(compiled);
            llama_sampler_ptr theirs(
                llama_sampler_init_grammar(vocab.handle(), source.c_str(), "root"));
            CHECK(theirs != nullptr);
            std::string text;
            for (int step = 0; step < 40; ++step) {
                const std::shared_ptr<const TokenMask> mask = ours.mask();
                const std::vector<bool> expected = allowed_upstream(theirs.get(), vocab);
                std::vector<llama_token> choices;
                for (llama_token id = 0; id < vocab.size(); ++id) {
                    if (vocab.is_end_of_generation(id)) continue;
                    const bool allowed = holds(*mask, id);
                    CHECK_EQUAL(*ours.allows(id), allowed);
                    const bool theirs_too = expected[static_cast<std::size_t>(id)];
                    // llama.cpp refuses broken characters as "any other token", and in sets such as
                    // [^a-z] beginnings of characters that some of the excluded share.
                    const bool cut = !is_utf8_so_far(vocab.piece(id)) ||
                                     static_cast<unsigned char>(vocab.piece(id).back()) >= 0x80;
                    if (allowed && !theirs_too && cut) continue;
                    const bool wanted = theirs_too && is_utf8_so_far(text + vocab.piece(id));
                    test::check_equal(allowed, wanted,
                                      source + ", token " + std::to_string(id) + " " +
                                          vocab.piece(id) + " after " + text);
                    if (allowed) choices.push_back(id);
                }
                CHECK_EQUAL(ours.is_complete(), ends_upstream(theirs.get(), vocab));
                if (choices.empty()) break;
                const llama_token next = choices[dice.below(choices.size())];
                ours.accept(next);
                text += vocab.piece(next);
                llama_sampler_accept(theirs.get(), next);
            }
        }
    }
}

R1_TEST(
    "grammar: no grammar makes a choice slow, and a text goes on after most of what was known is "
    "forgotten") {
    const std::shared_ptr<Model> model =
        test::vocabulary_of(R1_SOURCE_DIR "/vendor/llama.cpp/models/ggml-vocab-qwen2.gguf");
    const Vocab & vocab = model->vocab();
    std::string stars = "root ::= ";
    std::string optionals = "root ::= (";
    std::string words = "root ::= (";
    for (int i = 0; i < 1900; ++i) stars += "\"a\"* ";
    for (int i = 0; i < 10; ++i) optionals += "\"a\"? ";
    for (int i = 0; i < 1900; ++i) words += "\"a" + std::to_string(i) + "\" | ";
    const std::vector<std::string> hostile = {
        "root ::= (\"a\" | \"aa\")* \"b\"",       // on a rejected token of n letters llama.cpp
                                                  // follows 1.6^n ways
        "root ::= (\" \"+ \"\\n\"?)* \"x\"",      // 2^n
        "root ::= ((\"a\"{1,40}){1,40}){1,100}",  // 160,000 counts at once
        stars + "\"b\"",
        optionals + "){1,150} \"b\"",
        words + "\"b\")*",
        "root ::= s \"z\"\ns ::= \"a\" s (\"a\" | \"b\")? | \"c\"",
        "root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"d\"",
        "root ::= (.? .? .? .? .? .?){1,300} \"\\u1234\"",
    };
    const llama_token a = vocab.tokenize_safe("a").at(0);
    const llama_token space = vocab.tokenize_safe(" ").at(0);
    for (const std::string & source : hostile) {
        const auto start = std::chrono::steady_clock::now();
        try {
            GrammarCursor grammar(Grammar::compile(vocab, source));
            for (int step = 0; step < 20; ++step) {
                const std::shared_ptr<const TokenMask> mask = grammar.mask();
                if (!holds(*mask, a) && !holds(*mask, space)) break;
                grammar.accept(holds(*mask, a) ? a : space);
            }
        } catch (const Failure & failure) {
            test::check(failure.code() == ErrorCode::GrammarInvalid,
                        source.substr(0, 100) + ": " + failure.what());
        }
        // Some 0.02 to 2 s here.
        CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
    }
}

R1_TEST("grammar: what cannot be read, has no start or no end to its beginning is refused") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    for (const std::string source :
         {"", "root ::= \"a", "a ::= \"b\"", "root ::= nothing", "root ::= root \"a\"",
          "root ::= \"a\"\nroot ::= \"b\"", "root ::= [a", "root ::= (\"a\"", "root = \"a\"",
          "root ::= \"a\"{3,2}", "root ::= \"a\"{1000001}", "root ::= \"\\q\"",
          "root ::= <[99999]>", "root ::= <no such token>", "root ::= \"a\" )",
          "root ::= [^\\x00-\\U0010FFFF]\n)"}) {
        bool refused = false;
        try {
            Grammar::compile(vocab, source);
        } catch (const Failure & failure) {
            refused = failure.code() == ErrorCode::GrammarInvalid;
        }
        test::check(refused, source + " is not refused");
    }
    // What llama.cpp's recursion cannot read is no trouble here.
    for (const std::string & source : {
             "root ::= " + std::string(30000, '(') + "\"a\"" + std::string(30000, ')'),
             "root ::= \"a\"" + std::string(60000, '*'),
             "root ::= \"a\"" + repeated("{1}", 20000),
         }) {
        GrammarCursor cursor(Grammar::compile(vocab, source));
        CHECK(*cursor.allows(vocab.tokenize_safe("a").at(0)));
    }
    CHECK_FAILS(Grammar::compile(vocab, "root ::= <" + std::string(60000, 'Z') + ">"),
                ErrorCode::GrammarInvalid);
    std::string chain = "root ::= r0\n";
    for (int i = 0; i < 1500; ++i)
        chain += "r" + std::to_string(i) + " ::= r" + std::to_string(i + 1) + " \"b\"\n";
    GrammarCursor cursor(Grammar::compile(vocab, chain + "r1500 ::= \"c\""));
    CHECK(*cursor.allows(vocab.tokenize_safe("c").at(0)));
    CHECK(!*cursor.allows(vocab.tokenize_safe("b").at(0)));
}

R1_TEST("grammar: a budget cuts work short, and what comes in parts is what comes at once") {
    const std::shared_ptr<Model> model =
        test::vocabulary_of(R1_SOURCE_DIR "/vendor/llama.cpp/models/ggml-vocab-qwen2.gguf");
    const Vocab & vocab = model->vocab();
    const std::string source = "root ::= ([a-z]{1,9} [A-Z ]? | .{2,7})+ \"!\"";
    GrammarCursor whole(Grammar::compile(vocab, source));
    GrammarCursor parts(Grammar::compile(vocab, source));
    const std::shared_ptr<const TokenMask> expected = whole.mask();
    std::shared_ptr<const TokenMask> found;
    int calls = 0;
    for (; found == nullptr && calls < 100000; ++calls)
        found = parts.mask({std::chrono::steady_clock::now()});
    CHECK(calls > 5);
    CHECK(found != nullptr && *found == *expected);
}

R1_TEST("grammar: a text with many readings takes no more ways the longer it gets") {
    const std::shared_ptr<Model> model = test::tiny_model();
    const Vocab & vocab = model->vocab();
    const llama_token a = vocab.tokenize_safe("a").at(0);
    const auto grammar =
        Grammar::compile(vocab, "root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"d\"");
    GrammarCursor cursor(grammar);
    for (int i = 0; i < 5000; ++i) cursor.accept(a);
    CHECK(*cursor.allows(vocab.tokenize_safe("d").at(0)));
    CHECK(!*cursor.allows(vocab.tokenize_safe("b").at(0)));
    CHECK(grammar->bytes() < (std::size_t{16} << 20));
}

}  // namespace

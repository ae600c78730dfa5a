// Claims about StopGate: no part of a stop string leaks, nothing else is lost, and the order stays.
#include "core/engine/stop_gate.h"

#include "test/check.h"

namespace {

using namespace r1;

struct Outcome {
    std::vector<llama_token> tokens;
    std::string text;
    bool stopped = false;
};

void take(std::vector<Event> & events, Outcome & outcome) {
    for (const Event & event : events) {
        const auto & token = std::get<TokenEvent>(event);
        outcome.tokens.push_back(token.token);
        outcome.text += token.text;
    }
    events.clear();
}

// The text that may be out while a stop string could still begin: nothing that begins one may be at
// its end.
void check_no_leak(const std::string & text, const std::vector<std::string> & stops) {
    for (const std::string & stop : stops) {
        CHECK(text.find(stop) == std::string::npos);
    }
}

std::size_t first_stop(const std::string & text, const std::vector<std::string> & stops) {
    std::size_t first = std::string::npos;
    for (const std::string & stop : stops) {
        first = std::min(first, text.find(stop));
    }
    return first;
}

R1_TEST("stop gate: without stop strings every token passes at once") {
    StopGate gate({});
    std::vector<Event> out;
    CHECK(!gate.push({1, 7, "abc", {}}, out));
    CHECK_EQUAL(out.size(), std::size_t{1});
}

R1_TEST("stop gate: text that cannot begin a stop string passes at once") {
    StopGate gate({"END", "\n\n"});
    std::vector<Event> out;
    CHECK(!gate.push({1, 1, "hello", {}}, out));
    CHECK_EQUAL(out.size(), std::size_t{1});
    CHECK(!gate.push({1, 2, "\n", {}}, out));
    CHECK_EQUAL(out.size(), std::size_t{1});
    CHECK(!gate.push({1, 3, "x", {}}, out));
    CHECK_EQUAL(out.size(), std::size_t{3});
}

R1_TEST(
    "stop gate: in any chunking no part of a stop string leaks, all text before it comes, and "
    "every id comes in order") {
    test::Dice dice(2);
    const std::vector<std::vector<std::string>> stop_lists = {{"ab"},
                                                              {"aab"},
                                                              {"aaa", "b"},
                                                              {"abab", "ba"},
                                                              {"abc", "bc", "c"},
                                                              {"aaaaaaab"},
                                                              {"a"},
                                                              {"\xE4\xBD\xA0", "ab\xE5"}};
    const std::vector<std::string> letters = {"a", "b", "c", "a", "\xE4\xBD\xA0", ""};
    for (int round = 0; round < 20000; ++round) {
        const std::vector<std::string> & stops = dice.pick(stop_lists);
        StopGate gate(stops);
        Outcome outcome;
        std::vector<Event> out;
        std::string whole;
        llama_token pushed = 0;
        const std::size_t count = dice.below(14);
        while (static_cast<std::size_t>(pushed) < count && !outcome.stopped) {
            std::string text;
            for (std::size_t i = dice.below(4); i > 0; --i) text += dice.pick(letters);
            whole += text;
            outcome.stopped = gate.push({1, pushed++, text, {}}, out);
            take(out, outcome);
            if (!outcome.stopped) {
                check_no_leak(outcome.text, stops);
                // Whatever follows, what is out stays right: no end of it may begin a stop string
                // that the rest completes.
                for (const std::string & stop : stops) {
                    for (std::size_t length = 1;
                         length < stop.size() && length <= outcome.text.size(); ++length) {
                        const bool begins = outcome.text.compare(outcome.text.size() - length,
                                                                 length, stop, 0, length) == 0;
                        const std::string held = whole.substr(outcome.text.size());
                        const bool could_go_on =
                            stop.compare(length, std::min(held.size(), stop.size() - length), held,
                                         0, std::min(held.size(), stop.size() - length)) == 0;
                        CHECK(!(begins && could_go_on));
                    }
                }
            }
        }
        if (!outcome.stopped) {
            gate.flush(out);
            take(out, outcome);
        }
        const std::size_t expected = first_stop(whole, stops);
        CHECK_EQUAL(outcome.stopped, expected != std::string::npos);
        CHECK_EQUAL(outcome.text, whole.substr(0, expected));
        CHECK_EQUAL(outcome.tokens.size(), static_cast<std::size_t>(pushed));
        for (std::size_t i = 0; i < outcome.tokens.size(); ++i) {
            CHECK_EQUAL(outcome.tokens[i], static_cast<llama_token>(i));
        }
    }
}

}  // namespace

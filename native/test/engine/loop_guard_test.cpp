// Claims about LoopGuard: it fires on cycles of every length it knows, when they have lasted long
// enough, and never before.
#include "core/engine/loop_guard.h"

#include "test/check.h"

namespace {

using r1::LoopGuard;

// Tokens taken until the guard fires; -1: it does not in `count` tokens.
int fires_at(int32_t limit, std::size_t period, std::size_t lead, std::size_t count) {
    LoopGuard guard(limit);
    std::vector<llama_token> tokens;
    for (std::size_t i = 0; i < count; ++i) {
        tokens.push_back(i < lead ? static_cast<llama_token>(100000 + i)
                                  : static_cast<llama_token>((i - lead) % period));
        if (guard.push(tokens)) return static_cast<int>(i + 1);
    }
    return -1;
}

R1_TEST(
    "loop guard: a cycle fires after its first round and the longer of the limit and four rounds "
    "more") {
    for (const std::size_t period :
         {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{64}, std::size_t{256},
          std::size_t{700}, std::size_t{1024}}) {
        for (const std::size_t lead : {std::size_t{0}, std::size_t{50}}) {
            const std::size_t lasting = std::max<std::size_t>(100, 4 * period);
            CHECK_EQUAL(fires_at(100, period, lead, 6000),
                        static_cast<int>(lead + period + lasting));
        }
    }
}

R1_TEST("loop guard: longer cycles, text without one, and a limit of 0 never fire") {
    CHECK_EQUAL(fires_at(100, 1025, 0, 9000), -1);
    CHECK_EQUAL(fires_at(0, 1, 0, 3000), -1);
    r1::test::Dice dice(3);
    LoopGuard guard(32);
    std::vector<llama_token> tokens;
    for (int i = 0; i < 3000; ++i) {
        tokens.push_back(static_cast<llama_token>(dice.below(5)));
        CHECK(!guard.push(tokens));
    }
}

R1_TEST("loop guard: a cycle that is broken once begins anew") {
    LoopGuard guard(20);
    std::vector<llama_token> tokens;
    for (int i = 0; i < 200; ++i) {
        tokens.push_back(i % 18 == 17 ? 1000 + i : 5);
        CHECK(!guard.push(tokens));
    }
}

}  // namespace

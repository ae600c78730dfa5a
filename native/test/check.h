// The little that the C++ tests need of a test framework: named claims, checks that stop a claim,
// and a seeded source of random cases. Test process only.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace r1::test {

/** One claim and the code that holds it up. */
struct Claim {
    const char * text;
    std::function<void()> body;
};

/** All claims, in the order in which the files were linked. */
inline std::vector<Claim> & claims() {
    static std::vector<Claim> all;
    return all;
}

struct Register {
    Register(const char * text, std::function<void()> body) {
        claims().push_back({text, std::move(body)});
    }
};

/** Ends the claim: it does not hold. */
[[noreturn]] inline void refute(const char * file, int line, const std::string & what) {
    throw std::runtime_error(std::string(file) + ":" + std::to_string(line) + ": " + what);
}

inline void check(bool holds, const std::string & what) {
    if (!holds) {
        throw std::runtime_error(what);
    }
}

template <typename A, typename B>
void check_equal(const A & found, const B & expected, const std::string & what) {
    if (!(found == expected)) {
        std::ostringstream text;
        text << what << ": found " << found << ", expected " << expected;
        throw std::runtime_error(text.str());
    }
}

/** Random numbers that are the same in every run. */
class Dice {
public:
    explicit Dice(uint32_t seed) : engine_(seed) {}

    /** A number of 0 .. limit - 1; the limit is at least 1. */
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(engine_()) % limit; }
    bool coin() { return (engine_() & 1) != 0; }
    float normal() { return static_cast<float>(std::normal_distribution<double>()(engine_)); }

    template <typename T>
    const T & pick(const std::vector<T> & list) {
        return list[below(list.size())];
    }

private:
    std::mt19937 engine_;
};

}  // namespace r1::test

#define R1_JOIN_(a, b) a##b
#define R1_JOIN(a, b) R1_JOIN_(a, b)

/** R1_TEST("what holds") { the proof } */
#define R1_TEST(claim)                                                                       \
    static void R1_JOIN(test_body_, __LINE__)();                                             \
    static const r1::test::Register R1_JOIN(test_, __LINE__)(claim,                          \
                                                             R1_JOIN(test_body_, __LINE__)); \
    static void R1_JOIN(test_body_, __LINE__)()

#define CHECK(condition) \
    ((condition) ? void() : r1::test::refute(__FILE__, __LINE__, #condition " does not hold"))

#define CHECK_EQUAL(found, expected) \
    r1::test::check_equal(found, expected, __FILE__ ":" + std::to_string(__LINE__) + ": " #found)

/** The expression throws a Failure with this code. */
#define CHECK_FAILS(expression, expected)                                                \
    do {                                                                                 \
        bool failed = false;                                                             \
        try {                                                                            \
            static_cast<void>(expression);                                               \
        } catch (const r1::Failure & failure) {                                          \
            failed = true;                                                               \
            CHECK_EQUAL(std::string(error_code_name(failure.code())),                    \
                        std::string(error_code_name(expected)));                         \
        }                                                                                \
        if (!failed) r1::test::refute(__FILE__, __LINE__, #expression " does not fail"); \
    } while (false)

// SHA-256 and HMAC-SHA-256 over bytes that arrive in pieces. Pure; any thread, one at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace r1 {

using Digest = std::array<uint8_t, 32>;

/** SHA-256 (FIPS 180-4). A copy continues from the state in which it was made. */
class Sha256 {
public:
    void update(const void * bytes, std::size_t count);
    /** Ends it; nothing may follow. */
    Digest digest();

    /** Whether the processor's SHA instructions are used. */
    static bool is_accelerated();
    /** For tests: false takes the portable form. */
    explicit Sha256(bool accelerate = true);

private:
    void blocks(const uint8_t * bytes, std::size_t count);

    std::array<uint32_t, 8> state_;
    std::array<uint8_t, 64> tail_{};
    uint64_t total_ = 0;
    bool accelerate_;
};

/**
 * The seal that proves that bytes are unchanged: SHA-256 without a key, HMAC-SHA-256 (RFC 2104)
 * with one.
 */
class Seal {
public:
    /** `key` empty: no key. */
    explicit Seal(const std::vector<uint8_t> & key);
    void update(const void * bytes, std::size_t count) { inner_.update(bytes, count); }
    Digest digest();

private:
    Sha256 inner_;
    Sha256 outer_;
    bool keyed_;
};

/** Compares in a time that does not depend on the bytes. */
bool same_digest(const Digest & a, const Digest & b);

}  // namespace r1

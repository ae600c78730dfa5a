// SHA-256 and HMAC-SHA-256 over bytes that arrive in pieces. Pure; any thread, one at a time.
#include "core/files/sha256.h"

#include <algorithm>
#include <cstring>

#if (defined(__x86_64__) || defined(__i386__)) && (defined(__GNUC__) || defined(__clang__))
#define R1_SHA_X86
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace r1 {
namespace {

constexpr std::size_t block_bytes = 64;

alignas(16) constexpr std::array<uint32_t, 64> rounds{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t rotate(uint32_t value, int by) { return (value >> by) | (value << (32 - by)); }

uint32_t word_of(const uint8_t * bytes) {
    return (static_cast<uint32_t>(bytes[0]) << 24) | (static_cast<uint32_t>(bytes[1]) << 16) |
           (static_cast<uint32_t>(bytes[2]) << 8) | static_cast<uint32_t>(bytes[3]);
}

void portable_blocks(std::array<uint32_t, 8> & state, const uint8_t * bytes, std::size_t count) {
    for (; count > 0; --count, bytes += block_bytes) {
        std::array<uint32_t, 64> w;
        for (std::size_t i = 0; i < 16; ++i) {
            w[i] = word_of(bytes + 4 * i);
        }
        for (std::size_t i = 16; i < 64; ++i) {
            const uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >> 3);
            const uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >> 10);
            w[i] = w[i - 16] + s0 + w[i - 7] + s1;
        }
        std::array<uint32_t, 8> v = state;
        for (std::size_t i = 0; i < 64; ++i) {
            const uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
            const uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
            const uint32_t t1 = v[7] + s1 + choice + rounds[i] + w[i];
            const uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
            const uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
            const uint32_t t2 = s0 + majority;
            v = {t1 + t2, v[0], v[1], v[2], v[3] + t1, v[4], v[5], v[6]};
        }
        for (std::size_t i = 0; i < 8; ++i) {
            state[i] += v[i];
        }
    }
}

#ifdef R1_SHA_X86

bool has_sha() {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & (1u << 19)) == 0 || (c & (1u << 9)) == 0) {
        return false;  // no SSE4.1 or SSSE3
    }
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & (1u << 29)) != 0;
}

// Four rounds at a time; the registers hold ABEF and CDGH, as the instructions want them.
__attribute__((target("sha,sse4.1,ssse3"))) void native_blocks(std::array<uint32_t, 8> & state,
                                                               const uint8_t * bytes,
                                                               std::size_t count) {
    const auto load = [](const void * from) __attribute__((target("sse4.1"))) {
        __m128i value;
        std::memcpy(&value, from, sizeof value);
        return value;
    };
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    const __m128i badc = _mm_shuffle_epi32(load(state.data()), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(load(state.data() + 4), 0x1b);
    __m128i abef = _mm_alignr_epi8(badc, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, badc, 0xf0);
    for (; count > 0; --count, bytes += block_bytes) {
        const __m128i abef_before = abef;
        const __m128i cdgh_before = cdgh;
        __m128i w[4];
        for (int i = 0; i < 4; ++i) {
            w[i] = _mm_shuffle_epi8(load(bytes + 16 * i), swap);
        }
        for (int i = 0; i < 16; ++i) {
            __m128i sum = _mm_add_epi32(w[i % 4], load(rounds.data() + 4 * i));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            sum = _mm_shuffle_epi32(sum, 0x0e);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, sum);
            if (i < 12) {
                const __m128i last = w[(i + 3) % 4];
                __m128i next = _mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]);
                next = _mm_add_epi32(next, _mm_alignr_epi8(last, w[(i + 2) % 4], 4));
                w[i % 4] = _mm_sha256msg2_epu32(next, last);
            }
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    const __m128i abcd = _mm_blend_epi16(feba, dchg, 0xf0);
    const __m128i hgfe = _mm_alignr_epi8(dchg, feba, 8);
    std::memcpy(state.data(), &abcd, sizeof abcd);
    std::memcpy(state.data() + 4, &hgfe, sizeof hgfe);
}

#endif

}  // namespace

bool Sha256::is_accelerated() {
#ifdef R1_SHA_X86
    static const bool has = has_sha();
    return has;
#else
    return false;
#endif
}

Sha256::Sha256(bool accelerate)
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
      accelerate_(accelerate && is_accelerated()) {}

void Sha256::blocks(const uint8_t * bytes, std::size_t count) {
#ifdef R1_SHA_X86
    if (accelerate_) {
        native_blocks(state_, bytes, count);
        return;
    }
#endif
    portable_blocks(state_, bytes, count);
}

void Sha256::update(const void * bytes, std::size_t count) {
    if (count == 0) {
        return;
    }
    const auto * from = static_cast<const uint8_t *>(bytes);
    const std::size_t held = total_ % block_bytes;
    total_ += count;
    if (held > 0) {
        const std::size_t taken = std::min(count, block_bytes - held);
        std::memcpy(tail_.data() + held, from, taken);
        from += taken;
        count -= taken;
        if (held + taken < block_bytes) {
            return;
        }
        blocks(tail_.data(), 1);
    }
    blocks(from, count / block_bytes);
    std::memcpy(tail_.data(), from + count / block_bytes * block_bytes, count % block_bytes);
}

Digest Sha256::digest() {
    const uint64_t bits = total_ * 8;
    static constexpr std::array<uint8_t, block_bytes> padding{0x80};
    const std::size_t held = total_ % block_bytes;
    update(padding.data(), held < 56 ? 56 - held : 120 - held);
    std::array<uint8_t, 8> length;
    for (std::size_t i = 0; i < 8; ++i) {
        length[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
    }
    update(length.data(), length.size());
    Digest digest;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
    }
    return digest;
}

Seal::Seal(const std::vector<uint8_t> & key) : keyed_(!key.empty()) {
    if (!keyed_) {
        return;
    }
    std::array<uint8_t, block_bytes> padded{};
    if (key.size() > block_bytes) {
        Sha256 hash;
        hash.update(key.data(), key.size());
        const Digest digest = hash.digest();
        std::copy(digest.begin(), digest.end(), padded.begin());
    } else {
        std::copy(key.begin(), key.end(), padded.begin());
    }
    const auto mixed = [&padded](uint8_t with) {
        std::array<uint8_t, block_bytes> out = padded;
        for (uint8_t & byte : out) {
            byte = static_cast<uint8_t>(byte ^ with);
        }
        return out;
    };
    const auto inner = mixed(0x36);
    const auto outer = mixed(0x5c);
    inner_.update(inner.data(), inner.size());
    outer_.update(outer.data(), outer.size());
}

Digest Seal::digest() {
    const Digest inner = inner_.digest();
    if (!keyed_) {
        return inner;
    }
    outer_.update(inner.data(), inner.size());
    return outer_.digest();
}

bool same_digest(const Digest & a, const Digest & b) {
    volatile uint8_t different = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        different = static_cast<uint8_t>(different | (a[i] ^ b[i]));
    }
    return different == 0;
}

}  // namespace r1

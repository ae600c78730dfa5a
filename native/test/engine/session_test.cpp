// Claims about saved sessions: they come back as they were, belong to who restored them, wait for
// nobody and hold nobody up; what is forged is refused and leaves nothing behind.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <thread>

#include "core/engine/cell_values.h"
#include "core/failure.h"
#include "test/harness.h"
#include "test/tiny_model.h"

namespace {

using namespace r1;
using namespace r1::test;

using Bytes = std::vector<uint8_t>;
using Tokens = std::vector<llama_token>;

/** Small pieces, so that the smallest session takes many visits. */
EngineConfig piecewise(uint32_t sequences) {
    EngineConfig config = small_engine();
    config.sequences = sequences;
    config.session_piece_bytes = 4096;
    return config;
}

/** A prompt that the engine has computed, and what its sequence holds now. */
Tokens computed(Harness & harness, uint32_t id, const std::string & text, int32_t tokens = 20) {
    Tokens held = question(*tiny_model(), text);
    const Answer answer = harness.ask(request(id, held, tokens));
    held.insert(held.end(), answer.tokens.begin(), answer.tokens.end() - 1);
    return held;
}

std::shared_ptr<Request> of_session(uint32_t id, const Tokens & tokens, uint64_t session) {
    std::shared_ptr<Request> made = request(id, tokens, 8);
    made->session = session;
    return made;
}

std::size_t cached(const Answer & answer) {
    return static_cast<std::size_t>(answer.end->cached_tokens);
}

Bytes sealed(Bytes bytes, const Bytes & key = {}) {
    Seal seal(key);
    seal.update(bytes.data(), bytes.size() - sizeof(Digest));
    const Digest digest = seal.digest();
    std::copy(digest.begin(), digest.end(), bytes.end() - sizeof(Digest));
    return bytes;
}

template <typename Number>
void put(Bytes & bytes, std::size_t at, Number value) {
    if (at > bytes.size() || bytes.size() - at < sizeof value)
        refute(__FILE__, __LINE__, "a place");
    std::memcpy(bytes.data() + at, &value, sizeof value);
}

std::string hex(const Digest & digest) {
    std::string text;
    for (const uint8_t byte : digest) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

/** Makes everybody wait who writes to it. */
class SlowSink : public MemorySink {
public:
    void write(const void * bytes, std::size_t count) override {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        MemorySink::write(bytes, count);
    }
};

R1_TEST(
    "session: hashes are SHA-256 and HMAC-SHA-256, in whatever pieces and on whatever processor") {
    Dice dice(5);
    for (std::size_t length = 0; length < 300; ++length) {
        Bytes bytes(length);
        for (uint8_t & byte : bytes) byte = static_cast<uint8_t>(dice.below(256));
        Sha256 fast(true);
        Sha256 plain(false);
        plain.update(bytes.data(), length);
        for (std::size_t at = 0; at < length;) {
            const std::size_t piece = std::min(length - at, 1 + dice.below(100));
            fast.update(bytes.data() + at, piece);
            at += piece;
        }
        CHECK_EQUAL(hex(fast.digest()), hex(plain.digest()));
    }
    Sha256 abc;
    abc.update("abc", 3);
    CHECK_EQUAL(hex(abc.digest()),
                std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    Seal keyed(Bytes{'J', 'e', 'f', 'e'});  // RFC 4231, test case 2
    keyed.update("what do ya want for nothing?", 28);
    CHECK_EQUAL(hex(keyed.digest()),
                std::string("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
    Seal long_key(Bytes(131, 0xaa));  // test case 6
    long_key.update("Test Using Larger Than Block-Size Key - Hash Key First", 54);
    CHECK_EQUAL(hex(long_key.digest()),
                std::string("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"));
}

R1_TEST(
    "session: values that are no numbers, or larger than an f16, are found in every cache type") {
    for (const ggml_type type : {GGML_TYPE_F16, GGML_TYPE_BF16}) {
        Bytes bytes(640, 0x3c);
        CHECK(cell_values_are_sound(type, bytes.data(), bytes.size()));
        for (const int bad : {0x7f80, 0xff80, 0x7fff, 0x7f81}) {
            put(bytes, 638, static_cast<uint16_t>(bad));
            CHECK(!cell_values_are_sound(type, bytes.data(), bytes.size()));
        }
    }
    Bytes floats(640, 0x3c);
    CHECK(cell_values_are_sound(GGML_TYPE_F32, floats.data(), floats.size()));
    for (const uint32_t bad : {0x7f800000u, 0xff800000u, 0x7fc00000u, 0x477ff000u, 0xff7fffffu}) {
        put(floats, 0, bad);
        CHECK(!cell_values_are_sound(GGML_TYPE_F32, floats.data(), floats.size()));
    }
    for (const ggml_type type : {GGML_TYPE_Q4_0, GGML_TYPE_Q4_1, GGML_TYPE_Q5_0, GGML_TYPE_Q5_1,
                                 GGML_TYPE_Q8_0, GGML_TYPE_IQ4_NL}) {
        const std::size_t block = ggml_type_size(type);
        Bytes bytes(20 * block, 0xff);
        for (std::size_t i = 0; i < 20; ++i) put(bytes, i * block, 0x3c003c00u);
        CHECK(cell_values_are_sound(type, bytes.data(), bytes.size()));
        put(bytes, 19 * block, uint16_t{0x7c00});
        CHECK(!cell_values_are_sound(type, bytes.data(), bytes.size()));
        CHECK(!cell_values_are_sound(type, bytes.data(), bytes.size() - 1));
    }
    CHECK(!cell_values_are_sound(GGML_TYPE_Q6_K, floats.data(), ggml_type_size(GGML_TYPE_Q6_K)));
}

R1_TEST(
    "session: restored cells serve their session alone, and so does what is computed from them") {
    for (const bool unified : {true, false}) {
        EngineConfig config = piecewise(3);
        config.kv_unified = unified;
        Harness first(config);
        const Tokens held = computed(first, 1, "What is 12+13?");
        const Bytes bytes = first.save(held);
        Harness harness(config);
        harness.restore(bytes, 7);
        Tokens more = held;
        more.push_back(20);
        CHECK_EQUAL(cached(harness.ask(of_session(1, more, 0))), std::size_t{0});
        CHECK_EQUAL(cached(harness.ask(of_session(2, more, 8))), std::size_t{held.size()});
        // Session 8 has taken the first one's cells, which were computed here.
        CHECK_EQUAL(cached(harness.ask(of_session(3, more, 7))), std::size_t{held.size()});
        Harness fresh(config);
        fresh.restore(bytes, 7);
        const Answer own = fresh.ask(of_session(1, more, 7));
        CHECK_EQUAL(cached(own), held.size());
        Tokens longer = more;
        longer.insert(longer.end(), own.tokens.begin(), own.tokens.end() - 1);
        CHECK_FAILS(fresh.save(longer, 0), ErrorCode::StateInvalid);
        CHECK_FAILS(fresh.save(longer, 8), ErrorCode::StateInvalid);
        CHECK(fresh.save(longer, 7).size() > bytes.size());
        CHECK_EQUAL(cached(fresh.ask(of_session(2, longer, 0))), std::size_t{0});
        // A session that is forgotten leaves no cell.
        Harness last(config);
        last.restore(bytes, 7);
        last.engine().forget_session(7);
        last.ask(of_session(1, {5, 6, 7}, 7));
        CHECK(last.engine().stats().cells_used < 20);
    }
}

R1_TEST("session: what is forged is refused, and leaves no cell behind") {
    for (const char * type : {"f16", "q8_0", "f32"}) {
        EngineConfig config = piecewise(2);
        config.cache_type_k = config.cache_type_v = type;
        Harness harness(config);
        const Tokens held = computed(harness, 1, "What is 1+1?", 10);
        const Bytes bytes = harness.save(held);
        const std::size_t cells = 8 + 4 + 2 + 4 + 4 * held.size() + 8;
        const std::size_t first = cells + cell_front_bytes;
        const std::size_t layers = first + 12 * held.size();
        std::vector<Bytes> forged;
        const auto with = [&](std::size_t at, uint32_t value) {
            Bytes copy = bytes;
            put(copy, at, value);
            forged.push_back(sealed(copy));
        };
        for (const uint32_t position : {0x7fffffffu, 0x80000000u, 0xffffffffu, 1000u, 0u})
            with(first + 12, position);
        for (const uint32_t sequences : {0u, 2u, 0xffffffffu}) with(first + 4, sequences);
        for (const uint32_t count : {0u, 1u, 0xffffffffu, 0x10000000u}) with(cells + 12, count);
        for (const std::size_t at : {cells, cells + 8, layers, layers + 4, layers + 8, layers + 12})
            with(at, 0x7fffffff);
        with(layers + 20, 0xffffffff);  // no number
        with(8 + 4 + 2, 0xffffffff);    // tokens
        with(8, 0xffffffff);            // length of the head
        with(8 + 4 + 2 + 4, 0x7fffffff);
        Bytes trailing = bytes;
        trailing.insert(trailing.end() - 32, 4, 0);
        put(trailing, cells - 8, uint64_t{trailing.size() - cells - 32});
        forged.push_back(sealed(trailing));
        for (std::size_t cut = 0; cut < bytes.size(); cut += 1 + bytes.size() / 200) {
            Bytes copy(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut));
            forged.push_back(copy);
            if (cut > 40) forged.push_back(sealed(copy));
        }
        const uint32_t used = harness.engine().stats().cells_used;
        for (const Bytes & one : forged)
            CHECK_FAILS(harness.restore(one, 3), ErrorCode::StateInvalid);
        Bytes older = bytes;
        older[7] = 1;
        CHECK_FAILS(harness.restore(sealed(older), 3), ErrorCode::StateMismatch);
        Tokens more = held;
        more.push_back(20);
        CHECK_EQUAL(cached(harness.ask(of_session(2, more, 0))), held.size());
        CHECK(harness.engine().stats().cells_used <= used + 10);
    }
}

R1_TEST("session: a key takes what was sealed with it and nothing else") {
    Harness harness(piecewise(2));
    const Tokens held = computed(harness, 1, "What is 1+1?", 5);
    const Bytes key(16, 7);
    const Bytes other(16, 8);
    const Bytes with = harness.save(held, 0, key);
    const Bytes without = harness.save(held);
    CHECK_EQUAL(with.size(), without.size());
    harness.restore(with, 1, key);
    harness.restore(without, 2);
    CHECK_FAILS(harness.restore(without, 3, key), ErrorCode::StateInvalid);
    CHECK_FAILS(harness.restore(with, 3), ErrorCode::StateInvalid);
    CHECK_FAILS(harness.restore(with, 3, other), ErrorCode::StateInvalid);
    CHECK(sealed(without, key) == with);
}

R1_TEST("session: saving beside running streams stops none, and saves the same bytes") {
    for (const bool unified : {true, false}) {
        EngineConfig config = piecewise(3);
        config.kv_unified = unified;
        Harness harness(config);
        const Tokens held = computed(harness, 1, "What is 2+3?");
        const Bytes quiet = harness.save(held);
        std::shared_ptr<Request> stream = request(2, question(*tiny_model(), "Tell me."), 200);
        stream->ignore_eos = true;
        harness.submit(stream);
        harness.wait_for_tokens(2, 3);
        const std::shared_ptr<CellHold> hold = harness.engine().hold_cells(held, 0).get();
        const std::atomic<bool> cancelled{false};
        SlowSink sink;
        harness.engine().save_session(hold, session_front(held), {}, sink, cancelled);
        harness.engine().release_cells(hold);
        CHECK(content_of(sink) == quiet);
        harness.restore(quiet, 9);
        CHECK_EQUAL(harness.finish().at(2).tokens.size(), std::size_t{200});
    }
}

R1_TEST("session: running streams take held cells where there are no others; the saving says so") {
    EngineConfig config = piecewise(2);
    config.context_size = 512;
    Harness harness(config);
    const Tokens held = computed(harness, 1, "What is 2+3?", 100);
    const std::shared_ptr<CellHold> hold = harness.engine().hold_cells(held, 0).get();
    std::shared_ptr<Request> stream = request(2, question(*tiny_model(), "Tell me."), 480);
    stream->ignore_eos = true;
    CHECK_EQUAL(harness.ask(stream).tokens.size(), std::size_t{480});
    const std::atomic<bool> cancelled{false};
    MemorySink sink;
    CHECK_FAILS(harness.engine().save_session(hold, session_front(held), {}, sink, cancelled),
                ErrorCode::StateInvalid);
}

R1_TEST("session: a request waits for the only sequence while it is held, and then runs") {
    Harness harness(piecewise(1));
    const Tokens held = computed(harness, 1, "What is 2+3?");
    std::shared_ptr<CellHold> hold = harness.engine().hold_cells(held, 0).get();
    harness.submit(request(2, question(*tiny_model(), "And 5?"), 5));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK(!harness.is_over(2));
    harness.engine().release_cells(std::move(hold));
    CHECK_EQUAL(harness.finish().at(2).tokens.size(), std::size_t{5});
    // A hold that nobody has any more is over without being released.
    harness.engine().hold_cells(question(*tiny_model(), "And 5?"), 0).get();
    CHECK_EQUAL(harness.ask(request(3, {5, 6}, 5)).tokens.size(), std::size_t{5});
}

R1_TEST("session: a file that changes between its check and its restoring is refused") {
    Harness harness(piecewise(2));
    const Tokens held = computed(harness, 1, "What is 2+3?");
    const Bytes bytes = harness.save(held);
    std::FILE * temporary = std::tmpfile();  // in the system's folder, and gone when it is closed
    CHECK(temporary != nullptr);
    const int file = fileno(temporary);
    const auto write = [&](const Bytes & content) {
        FileSink sink(file);
        sink.expect(content.size());
        sink.write(content.data(), content.size());
    };
    const std::atomic<bool> cancelled{false};
    Bytes other = bytes;
    put(other, other.size() - 40, 0x01020304u);
    Bytes no_number = bytes;
    for (std::size_t i = bytes.size() - 400; i < bytes.size() - 32; ++i) no_number.at(i) = 0xff;
    for (const Bytes & later :
         {other, no_number, Bytes(bytes.begin(), bytes.begin() + bytes.size() / 2)}) {
        write(bytes);
        const SavedSession saved =
            harness.engine().open_session(std::make_shared<FileSource>(file), {}, cancelled);
        harness.engine().restore_session(saved, 5, cancelled);
        write(later);
        CHECK_FAILS(harness.engine().restore_session(saved, 6, cancelled), ErrorCode::StateInvalid);
        Tokens more = held;
        more.push_back(20);
        CHECK(cached(harness.ask(of_session(2, more, 6))) <= held.size());
    }
    std::fclose(temporary);
}

R1_TEST(
    "session: an engine that closes while sessions are saved and restored ends both, and soon") {
    for (int round = 0; round < 10; ++round) {
        Harness harness(piecewise(4));
        const Tokens held = computed(harness, 1, "What is 2+3?", 60);
        const Bytes bytes = harness.save(held);
        std::atomic<int> wrong{0};
        const auto until_closed = [&](auto && work) {
            try {
                for (int i = 0; i < 100000; ++i) work();
            } catch (const Failure & failure) {
                // The cells may be anybody's by then.
                if (failure.code() != ErrorCode::Disposed &&
                    failure.code() != ErrorCode::StateInvalid)
                    ++wrong;
            }
        };
        std::thread saving([&] { until_closed([&] { harness.save(held); }); });
        std::thread restoring([&] { until_closed([&] { harness.restore(bytes, 3); }); });
        std::this_thread::sleep_for(std::chrono::milliseconds(7 * round));
        harness.stop();
        saving.join();
        restoring.join();
        CHECK_EQUAL(wrong.load(), 0);
    }
}

}  // namespace

// Claims about the scheduler, the batcher and the ledger together, driven step by step on a real
// context: the ledger holds what llama.cpp holds.
#include "core/backend/cache.h"

#include <algorithm>
#include <cstdio>

#include "core/backend/context.h"
#include "core/engine/batcher.h"
#include "core/engine/scheduler.h"
#include "test/harness.h"
#include "test/tiny_model.h"

namespace {

using namespace r1;
using namespace r1::test;

bool never(void *) { return false; }

/** The engine's loop by hand, so that a test can look between the steps. */
class Bench {
public:
    explicit Bench(const EngineConfig & config)
        : context_(tiny_model(), config, std::make_shared<ThreadPools>(1, 1, "normal", 0u), never,
                   nullptr),
          cache_(context_.memory(), MemoryKind{}, config.sequences, context_.info().context_size,
                 context_.info().sequence_context, config.kv_unified),
          scheduler_(cache_, tiny_model()->vocab(), config.sequences, config.prefix_cache),
          batcher_({context_.info().ubatch_size, context_.info().batch_size, config.max_draft,
                    tiny_model()->vocab().size(), config.deterministic},
                   StepCost(), PromptPace(context_.info().ubatch_size)) {}

    Scheduler & scheduler() { return scheduler_; }
    const Batcher & batcher() const { return batcher_; }
    bool idle() const { return scheduler_.running() == 0 && scheduler_.waiting() == 0; }

    void step(std::vector<Event> & out) {
        scheduler_.expire(Clock::now(), out);
        scheduler_.admit(out);
        batcher_.plan(scheduler_, cache_, nullptr, false, out);
        if (batcher_.slices().empty()) {
            return;
        }
        CHECK(batcher_.view().n_tokens <= static_cast<int32_t>(context_.info().batch_size));
        // The ledger planned it, so llama.cpp must have the room.
        CHECK_EQUAL(llama_decode(context_.handle(), batcher_.view()), 0);
        for (const Slice & slice : batcher_.slices()) {
            Sequence & sequence = *slice.sequence;
            for (std::size_t i = 0; i < slice.count; ++i)
                cache_.decoded(sequence.id, batcher_.token(slice.first + i));
            if (!slice.samples) continue;
            CHECK_EQUAL(slice.drafted, std::size_t{0});
            const auto index = static_cast<int32_t>(slice.first + slice.count - 1);
            GrammarTime time(std::chrono::hours(1));
            if (const auto end = sequence.run->advance(
                    llama_get_logits_ith(context_.handle(), index), time, out))
                scheduler_.finish(sequence, *end, out);
        }
    }

    /** Every sequence ends where llama.cpp says it ends. */
    void check_positions() {
        for (const Sequence & sequence : scheduler_.sequences()) {
            const llama_pos last = llama_memory_seq_pos_max(context_.memory(), sequence.id);
            CHECK_EQUAL(static_cast<std::size_t>(last + 1), cache_.length(sequence.id));
            CHECK_EQUAL(llama_memory_seq_pos_min(context_.memory(), sequence.id),
                        cache_.length(sequence.id) > 0 ? 0 : -1);
        }
    }

    /** llama.cpp takes exactly as many more tokens as the ledger calls free (one pool only: it
     * tells no counts, so it is asked by filling it). */
    void check_free_cells() {
        const auto spare =
            std::find_if(scheduler_.sequences().begin(), scheduler_.sequences().end(),
                         [](const Sequence & s) { return s.run == nullptr; });
        if (spare == scheduler_.sequences().end()) {
            return;
        }
        const std::size_t before = cache_.length(spare->id);
        uint32_t taken = 0;
        int32_t code = 0;
        while (code == 0 && taken <= cache_.ledger().capacity()) {
            llama_token token = 30;
            auto position = static_cast<llama_pos>(before + taken);
            int32_t count = 1;
            llama_seq_id id = spare->id;
            llama_seq_id * ids = &id;
            int8_t logits = 0;
            llama_batch batch{};
            batch.n_tokens = 1;
            batch.token = &token;
            batch.pos = &position;
            batch.n_seq_id = &count;
            batch.seq_id = &ids;
            batch.logits = &logits;
            code = llama_decode(context_.handle(), batch);
            taken += code == 0 ? 1 : 0;
        }
        CHECK_EQUAL(code, 1);
        llama_memory_seq_rm(context_.memory(), spare->id, static_cast<llama_pos>(before), -1);
        CHECK_EQUAL(taken, cache_.free_cells());
    }

private:
    Context context_;
    Cache cache_;
    Scheduler scheduler_;
    Batcher batcher_;
};

void drive(bool unified, bool prefix_cache, bool deterministic, uint32_t seed) {
    EngineConfig config = small_engine();
    config.sequences = 6;
    config.context_size = unified ? 512 : 6 * 256;
    config.kv_unified = unified;
    config.ubatch_size = 32;
    config.batch_size = 64;
    config.prefix_cache = prefix_cache;
    config.deterministic = deterministic;
    Bench bench(config);
    Dice dice(seed);
    std::vector<std::shared_ptr<Request>> live;
    std::vector<Event> out;
    std::size_t ends = 0;
    std::size_t errors = 0;
    uint32_t next = 1;
    for (int step = 0; next <= 120 || !bench.idle(); ++step) {
        CHECK(step < 60000);
        if (next <= 120 && dice.below(4) == 0) {
            auto made = request(next++, question(*tiny_model(), random_question(dice, 6)),
                                static_cast<int32_t>(1 + dice.below(90)));
            made->ignore_eos = dice.coin();
            made->priority = static_cast<int32_t>(dice.below(2));
            made->cache_prompt = dice.below(4) != 0;
            live.push_back(made);
            bench.scheduler().add(made);
        }
        if (!live.empty() && dice.below(60) == 0) dice.pick(live)->cancelled.store(true);
        bench.step(out);
        bench.check_positions();
        if (unified && dice.below(100) == 0) bench.check_free_cells();
        for (const Event & event : out) {
            ends += std::holds_alternative<EndEvent>(event) ? 1 : 0;
            errors += std::holds_alternative<ErrorEvent>(event) ? 1 : 0;
        }
        out.clear();
    }
    CHECK_EQUAL(ends, std::size_t{120});
    CHECK_EQUAL(errors, std::size_t{0});
}

R1_TEST(
    "cache: after every step the ledger's lengths are llama.cpp's, and its free cells the ones "
    "llama.cpp has, in one pool") {
    drive(true, true, false, 50);
    drive(true, false, false, 51);
    drive(true, true, true, 52);
}

R1_TEST(
    "cache: after every step the ledger's lengths are llama.cpp's, with a share for each "
    "sequence") {
    drive(false, true, false, 53);
    drive(false, false, false, 54);
}

// Counted in steps, not in time: while a prompt of many chunks comes in, every step brings the
// stream one token on and is no longer than one chunk.
void check_stream_beside_prompt(bool unified) {
    EngineConfig config = small_engine();
    config.sequences = 4;
    config.kv_unified = unified;
    config.context_size = unified ? 4096 : 4 * 2048;
    config.ubatch_size = 64;
    Bench bench(config);
    std::vector<Event> out;
    const auto tokens_of = [&out](uint32_t id) {
        return std::count_if(out.begin(), out.end(), [id](const Event & event) {
            const auto * token = std::get_if<TokenEvent>(&event);
            return token != nullptr && token->id == id;
        });
    };
    auto stream = request(1, question(*tiny_model(), "What is 1+1?"), 1000);
    stream->ignore_eos = true;
    bench.scheduler().add(stream);
    while (tokens_of(1) == 0) bench.step(out);
    std::vector<llama_token> prompt = question(*tiny_model(), "What is 2+2?");
    while (prompt.size() < 1500)
        prompt.push_back(static_cast<llama_token>(30 + prompt.size() % 90));
    bench.scheduler().add(request(2, prompt, 3));
    int steps = 0;
    for (; tokens_of(2) == 0; ++steps) {
        const auto before = tokens_of(1);
        bench.step(out);
        CHECK_EQUAL(tokens_of(1), before + 1);
        CHECK(bench.batcher().token_count() <= 64);
    }
    CHECK_EQUAL(steps, static_cast<int>((prompt.size() + 62) /
                                        63));  // 63 of each step's 64 are the prompt's
    // A short request that comes now starts at the next step, beside both.
    bench.scheduler().add(request(3, question(*tiny_model(), "Hi"), 2));
    bench.step(out);
    CHECK_EQUAL(tokens_of(3), 1);
}

R1_TEST(
    "cache: a long prompt holds a running stream up by one chunk a token at most, counted in "
    "steps, in one pool and with shares") {
    check_stream_beside_prompt(true);
    check_stream_beside_prompt(false);
}

R1_TEST("cache: the least recently used prompt makes room first, and empty sequences before it") {
    EngineConfig config = small_engine();
    config.sequences = 3;
    config.context_size = 512;
    Harness harness(config);
    const auto prompt = [](llama_token filler) {
        std::vector<llama_token> tokens = question(*tiny_model(), "What is 1+1?");
        tokens.insert(tokens.begin() + 1, 120, filler);
        return tokens;
    };
    for (uint32_t id = 1; id <= 3; ++id)
        harness.ask(request(id, prompt(static_cast<llama_token>(40 + id)), 2));
    CHECK(harness.ask(request(4, prompt(41), 2)).end->cached_tokens >
          120);  // used again: 42 is the oldest now
    harness.ask(request(5, prompt(50), 2));
    CHECK(harness.ask(request(6, prompt(41), 2)).end->cached_tokens > 120);
    CHECK(harness.ask(request(7, prompt(43), 2)).end->cached_tokens > 120);
    CHECK(harness.ask(request(8, prompt(42), 2)).end->cached_tokens < 10);
}

R1_TEST(
    "cache: of 16 prompts that come at once the beginning they share is computed once, in one pool "
    "and with shares") {
    for (const bool unified : {true, false}) {
        EngineConfig config = small_engine();
        config.sequences = 16;
        config.kv_unified = unified;
        config.context_size = 16384;
        config.ubatch_size = 128;
        Harness harness(config);
        std::vector<llama_token> shared = question(*tiny_model(), "");
        while (shared.size() < 700)
            shared.push_back(static_cast<llama_token>(30 + shared.size() % 70));
        std::size_t own = 0;
        for (uint32_t id = 1; id <= 16; ++id) {
            std::vector<llama_token> tokens = shared;
            for (uint32_t i = 0; i < 10; ++i) tokens.push_back(static_cast<llama_token>(200 + id));
            own += tokens.size() - shared.size();
            harness.submit(request(id, tokens, 4));
        }
        std::size_t cached = 0;
        for (const auto & [id, answer] : harness.finish())
            cached += static_cast<std::size_t>(answer.end->cached_tokens);
        const EngineStats stats = harness.engine().stats();
        CHECK(cached >= 15 * 700);
        CHECK_EQUAL(stats.cached_tokens, static_cast<uint64_t>(cached));
        CHECK_EQUAL(stats.prompt_tokens + cached, static_cast<uint64_t>(16 * shared.size() + own));
    }
}

}  // namespace

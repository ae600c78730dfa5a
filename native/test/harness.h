// An engine with a collector of its events, for the claims about whole requests. Test process; the
// collector is filled on the engine thread.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "test/check.h"
#include "test/engine/requests.h"

namespace r1::test {

/** All that came back for one request. */
struct Answer {
    std::vector<llama_token> tokens;
    std::string text;
    std::vector<float> margins;  // by which the most likely token leads the second, of requests
                                 // with log probabilities
    std::optional<EndEvent> end;
    std::string error;          // a code, or empty
    int last_events = 0;        // one, for a request that is over
    int events_after_last = 0;  // none, ever
    Clock::time_point ended{};
};

/** For EngineConfig::step_costs: guesses cost nothing, so that as many are made as there may be,
 * and no clock decides. */
inline const StepCost::Table free_rows{{1, 1}, {1024, 1}};

/** Small and quick: one thread, a cache for most tests. */
inline EngineConfig small_engine() {
    EngineConfig config;
    config.context_size = 2048;
    config.sequences = 1;
    config.max_queue = 100000;
    config.warmup = false;
    return config;
}

class Harness {
public:
    /** `model`: the embedded one unless another is given. */
    explicit Harness(const EngineConfig & config, std::shared_ptr<Model> model = nullptr);
    ~Harness();

    Engine & engine() { return *engine_; }

    /** Submits, and expects an answer. */
    void submit(const std::shared_ptr<Request> & request);

    /** Waits until every submitted request is over, two minutes at most, and gives all answers.
     * Checks that each had exactly one last event. */
    std::map<uint32_t, Answer> finish();

    /** Waits until this request has produced so many tokens, or is over. */
    void wait_for_tokens(uint32_t id, std::size_t count);

    /** Whether this request is over. */
    bool is_over(uint32_t id);

    /** Submits one request and waits for it. */
    Answer ask(const std::shared_ptr<Request> & request);

    /** A saved session of these tokens, as bytes; its head is "{}". Throws what saving throws. */
    std::vector<uint8_t> save(const std::vector<llama_token> & tokens, uint64_t session = 0,
                              const std::vector<uint8_t> & key = {});

    /** Reads a saved session and restores its cells for a session. */
    void restore(const std::vector<uint8_t> & bytes, uint64_t session,
                 const std::vector<uint8_t> & key = {});

    /** Joins the engine's thread. */
    void stop() { engine_->stop(); }

private:
    void take(std::vector<Event> && events);
    bool over() const;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<uint32_t, Answer> answers_;
    std::unique_ptr<Engine> engine_;  // last: its thread writes to what stands above
};

/** What was written into it, which is taken out. */
std::vector<uint8_t> content_of(MemorySink & sink);

/** What a saved session of these tokens begins with, up to the length of its cells. */
std::vector<uint8_t> session_front(const std::vector<llama_token> & tokens);

}  // namespace r1::test

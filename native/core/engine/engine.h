// Engine: one context and its thread. Requests enter through a queue, and events leave in bulk
// after each step. JavaScript never waits for it, and it never waits for JavaScript.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/backend/cache.h"
#include "core/backend/context.h"
#include "core/backend/model.h"
#include "core/engine/batcher.h"
#include "core/engine/outbox.h"
#include "core/engine/request.h"
#include "core/engine/scheduler.h"
#include "core/engine/session_job.h"
#include "core/speculation/draft_model.h"

namespace r1 {

struct EngineStats {
    uint32_t running = 0;
    uint32_t waiting = 0;
    uint32_t cells_used = 0;
    uint32_t cells_total = 0;
    uint64_t prompt_tokens = 0;
    uint64_t cached_tokens = 0;
    uint64_t completion_tokens = 0;
    uint64_t requests = 0;
    uint64_t steps = 0;
    uint64_t drafted_tokens = 0;
    uint64_t accepted_tokens = 0;
    double tokens_per_second = 0;
};

class Engine {
public:
    /** Receives events on the engine thread; must not block. */
    using Sink = Outbox::Sink;

    /**
     * Starts the thread and makes the contexts on it; blocks until they are ready. `draft` may be
     * nullptr. `cancelled`, which is read only until then, ends the warm-up, which takes minutes if
     * the weights are read from disk. Throws the Failures of Context and DraftModel, and Aborted.
     */
    Engine(std::shared_ptr<Model> model, std::shared_ptr<Model> draft, const EngineConfig & config,
           Sink sink, const std::atomic<bool> * cancelled = nullptr);
    ~Engine();
    Engine(const Engine &) = delete;
    Engine & operator=(const Engine &) = delete;

    const EngineInfo & info() const { return info_; }
    const Model & model() const { return *model_; }

    /**
     * Any thread. Checks everything that libllama would abort on. Throws Failure: InvalidArgument,
     * PromptTooLong, QueueFull, Disposed.
     */
    void submit(std::shared_ptr<Request> request);

    /** Any thread. The request ends with reason Aborted; unknown ids are ignored. */
    void cancel(uint32_t id);

    /**
     * Any thread. Closes an open reasoning, or the next one to open, at its next token with the
     * request's `closing`. Does nothing without a reasoning, after it, and for unknown ids.
     */
    void end_reasoning(uint32_t id);

    /** Any thread. */
    EngineStats stats() const;

    /**
     * Any thread. Holds the cells of an idle sequence that begins with `tokens` and that `session`
     * may use, before any request that is submitted later. The caller must release them. The future
     * throws Failure: StateInvalid when no sequence holds them, Disposed.
     */
    std::future<std::shared_ptr<CellHold>> hold_cells(std::vector<llama_token> tokens,
                                                      uint64_t session);

    /** Any thread. Releases held cells, so that requests may use them again. */
    void release_cells(std::shared_ptr<CellHold> hold);

    /** A thread of its own: blocks. See write_session(). */
    void save_session(const std::shared_ptr<CellHold> & hold, const std::vector<uint8_t> & front,
                      const std::vector<uint8_t> & key, ByteSink & sink,
                      const std::atomic<bool> & cancelled);

    /** A thread of its own: blocks. See read_session(). */
    SavedSession open_session(std::shared_ptr<ByteSource> source, const std::vector<uint8_t> & key,
                              const std::atomic<bool> & cancelled) const;

    /**
     * Blocks: call it on a separate thread. See restore_cells(). Restores nothing without a prefix
     * cache, because no request could use the cells.
     */
    void restore_session(const SavedSession & saved, uint64_t session,
                         const std::atomic<bool> & cancelled);

    /** Any thread. Drops the idle cells that are kept for a session. */
    void forget_session(uint64_t session);

    /** Any thread. Asks the thread to end; every request ends with DISPOSED. Does not wait. */
    void request_stop();

    /** Ends and joins the thread, frees the context. Not on the engine thread. Idempotent. */
    void stop();

    /**
     * Like stop(), but with a limited wait. False: the thread is in a decode that does not return.
     */
    bool stop_until(Clock::time_point deadline);

private:
    static constexpr std::chrono::seconds rate_window{3};
    // Maximum number of consecutive decodes that other requests may interrupt. The next one is
    // decoded to its end, or a running stream would never progress.
    static constexpr uint32_t max_interruptions = 4;

    /**
     * A call of another thread to the engine thread between two steps. Either of the two settles
     * its future.
     */
    struct Task {
        std::function<void()> run;
        std::function<void()> abandon;
    };

    void main(EngineConfig config, std::shared_ptr<Model> draft, std::promise<void> & ready);
    void loop();
    bool take_commands();
    void step();
    void decode(std::vector<Event> & out);
    void after_decode(const Slice & slice, std::vector<Event> & out);
    void continue_choices(std::vector<Event> & out);
    template <typename Work>
    void guard(Sequence & sequence, std::vector<Event> & out, Work work);
    void after_failure(int32_t code, const std::string & thrown, std::vector<Event> & out);
    void isolate_failure(const std::string & reason, std::vector<Event> & out);
    void clear_suspect(const Run & run);
    void mark_in_batch(bool value);
    void settle(const std::vector<Event> & out);
    void dispose_all();
    static bool abort_decode(void * data);
    void run_between_steps(Task task);
    CellAccess access() {
        return {context_->memory(), *scheduler_, streams_, cell_shape_, piece_bytes_};
    }

    std::shared_ptr<Model> model_;
    EngineInfo info_{};
    uint32_t max_queue_ = 0;
    CellShape cell_shape_;  // set before the engine is ready
    bool keeps_prefixes_ = false;
    std::size_t piece_bytes_ = 0;

    // Shared with other threads, under mutex_.
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::shared_ptr<Request>> inbox_;
    std::deque<Task> tasks_;
    std::unordered_map<uint32_t, std::shared_ptr<Request>> live_;
    EngineStats stats_;
    Clock::time_point settled_{};  // when stats_ was last brought up to date
    bool closed_ = false;
    std::condition_variable ended_;
    bool has_ended_ = false;  // main() is done
    StepGate gate_{[this] {
        // Under the lock: otherwise the engine thread could check just before and wait just after.
        const std::lock_guard<std::mutex> lock(mutex_);
        wake_.notify_one();
    }};

    // Read inside a decode, from worker threads.
    std::atomic<const std::atomic<bool> *> cancelled_{nullptr};  // while the engine starts
    std::atomic<bool> stopping_{false};
    std::atomic<bool> interrupt_{false};
    std::atomic<bool> must_finish_{false};  // only a stop ends this decode
    std::atomic<int64_t> deadline_ns_{0};   // 0: none

    // The engine thread's own; made and freed on it.
    std::unique_ptr<Context> context_;
    std::unique_ptr<DraftModel> draft_;
    std::unique_ptr<Cache> cache_;
    std::unique_ptr<Scheduler> scheduler_;
    std::unique_ptr<Batcher> batcher_;
    // Number of failures of each request of a failed batch, by id. While there are any, each
    // request is decoded alone.
    std::unordered_map<uint32_t, uint32_t> suspects_;
    Outbox outbox_;
    std::size_t step_tokens_ = 0;                        // of the last step
    GrammarTime grammar_time_{Clock::duration::zero()};  // that is left of this step
    std::size_t choice_turn_ = 0;  // the sequence whose choice continues first
    std::deque<std::pair<Clock::time_point, uint32_t>>
        recent_;  // sampled tokens of the last seconds
    uint64_t recent_tokens_ = 0;
    uint64_t prompt_tokens_ = 0;
    uint64_t steps_ = 0;
    uint32_t interruptions_ = 0;  // in a row
    uint32_t streams_ = 1;        // of the cache: shares are streams to llama.cpp

    std::mutex stop_mutex_;
    std::thread thread_;  // last: everything above exists when it starts
};

}  // namespace r1

// Engine: one context and its thread. This file has its queue, start and end; the steps are in
// engine_step.cpp.
#include "core/engine/engine.h"

#include <algorithm>

#include "core/engine/cell_io.h"
#include "core/failure.h"
#include "core/platform/thread_name.h"

namespace r1 {
namespace {

const char * const disposed_message = "The model was closed. Load it again with loadModel().";

// How long cells of sessions are copied between two steps: while streams run, which wait for it,
// and while none runs, when only new requests wait.
constexpr std::chrono::milliseconds visit_beside{5};
constexpr std::chrono::milliseconds visit_alone{20};
constexpr std::chrono::milliseconds held_wait{10};

}  // namespace

Engine::Engine(std::shared_ptr<Model> model, std::shared_ptr<Model> draft,
               const EngineConfig & config, Sink sink, const std::atomic<bool> * cancelled)
    : model_(std::move(model)),
      max_queue_(config.max_queue),
      cancelled_(cancelled),
      outbox_(std::move(sink)) {
    if (draft != nullptr) {
        DraftModel::check_same_vocabulary(model_->vocab(), draft->vocab());
    }
    std::promise<void> ready;
    std::future<void> started = ready.get_future();
    thread_ = std::thread([this, config, draft = std::move(draft), &ready]() mutable {
        main(config, std::move(draft), ready);
        std::lock_guard<std::mutex> lock(mutex_);
        has_ended_ = true;
        ended_.notify_all();
    });
    try {
        started.get();
    } catch (...) {
        thread_.join();
        throw;
    }
}

Engine::~Engine() { stop(); }

void Engine::main(EngineConfig config, std::shared_ptr<Model> draft, std::promise<void> & ready) {
    name_this_thread("r1-engine");
    try {
        check_engine_config(*model_, config);
        context_ = std::make_unique<Context>(
            model_, config,
            std::make_shared<ThreadPools>(config.threads, config.threads_batch, config.priority,
                                          config.poll),
            &Engine::abort_decode, this);
        info_ = context_->info();
        cache_ = std::make_unique<Cache>(
            context_->memory(), MemoryKind::of(model_->handle()), info_.sequences,
            info_.context_size, info_.sequence_context, config.kv_unified || info_.sequences == 1);
        scheduler_ = std::make_unique<Scheduler>(*cache_, model_->vocab(), info_.sequences,
                                                 config.prefix_cache && !config.deterministic,
                                                 config.guest_sequence);
        streams_ = cache_->ledger().shared() ? 1 : info_.sequences;
        keeps_prefixes_ = config.prefix_cache && !config.deterministic;
        piece_bytes_ = config.session_piece_bytes;
        cell_shape_ = find_cell_shape(context_->memory());
        StepCost cost = !config.step_costs.empty() ? StepCost::fixed(config.step_costs)
                        : config.deterministic     ? StepCost::typical()
                                                   : StepCost();
        // A refused guess must be removed again.
        const uint32_t guesses = cache_->whole_only() ? 0 : config.max_draft;
        const Batcher::Limits limits{info_.ubatch_size, info_.batch_size, guesses,
                                     model_->vocab().size(), config.deterministic};
        const bool learns = config.step_costs.empty() && !config.deterministic;
        batcher_ = std::make_unique<Batcher>(
            limits, std::move(cost),
            learns ? PromptPace(limits.chunk) : PromptPace::full(limits.chunk));
        if (draft != nullptr && guesses > 0) {
            draft_ = std::make_unique<DraftModel>(std::move(draft), config, context_->pools(),
                                                  &Engine::abort_decode, this);
        }
        stats_.cells_total = info_.context_size;
        info_.sequences -= config.guest_sequence ? 1 : 0;
        if (config.warmup) {
            context_->warm_up();
        }
        const std::atomic<bool> * cancelled = cancelled_.exchange(nullptr);
        if (cancelled != nullptr && cancelled->load()) {
            throw Failure(ErrorCode::Aborted, "Loading was aborted.");
        }
    } catch (...) {
        draft_.reset();
        scheduler_.reset();
        cache_.reset();
        context_.reset();
        ready.set_exception(std::current_exception());
        return;
    }
    ready.set_value();  // `ready` no longer exists from here on
    try {
        loop();
    } catch (...) {
        // No exception may leave a thread. Exceptions in a step have already become events; only
        // running out of memory for these events can still throw.
    }
    dispose_all();
    batcher_.reset();
    draft_.reset();
    scheduler_.reset();
    cache_.reset();
    context_.reset();
}

void Engine::loop() {
    while (take_commands()) {
        step();
    }
}

// Waits for work. False: the engine must end.
bool Engine::take_commands() {
    std::deque<Task> tasks;
    {
        std::unique_lock<std::mutex> lock(mutex_);
        const bool busy = scheduler_->running() > 0 || scheduler_->waiting() > 0;
        const auto is_called = [this] {
            return closed_ || !inbox_.empty() || !tasks_.empty() || gate_.has_waiting();
        };
        if (!busy) {
            wake_.wait(lock, is_called);
        } else if (scheduler_->running() == 0 && scheduler_->has_holds()) {
            // The waiting requests need cells that are held. The sleep is short, because requests
            // can time out.
            wake_.wait_for(lock, held_wait, is_called);
        }
        if (closed_) {
            return false;
        }
        interrupt_.store(false, std::memory_order_relaxed);
        for (std::shared_ptr<Request> & request : inbox_) {
            scheduler_->add(std::move(request));
        }
        inbox_.clear();
        tasks.swap(tasks_);
    }
    for (const Task & task : tasks) {
        task.run();
    }
    if (gate_.has_waiting()) {
        outbox_.flush(Clock::now());  // saving a session takes a while
        gate_.serve(scheduler_->running() > 0 ? visit_beside : visit_alone);
    }
    return true;
}

void Engine::submit(std::shared_ptr<Request> request) {
    if (request->tokens.empty()) {
        throw Failure(ErrorCode::InvalidArgument, "A prompt has at least one token.");
    }
    for (const llama_token token : request->tokens) {
        if (!model_->vocab().contains(token)) {
            throw Failure(ErrorCode::InvalidArgument,
                          "Token " + std::to_string(token) +
                              " of the prompt is outside the vocabulary of " +
                              std::to_string(model_->vocab().size()) + " tokens.");
        }
    }
    if (request->tokens.size() > info_.sequence_context) {
        throw Failure(ErrorCode::PromptTooLong,
                      "The prompt has " + std::to_string(request->tokens.size()) +
                          " tokens and the context holds " +
                          std::to_string(info_.sequence_context) +
                          ". Shorten it, or load the model with a larger `contextSize`.");
    }
    for (const llama_token tag : {request->think_token, request->end_think_token}) {
        if (tag != LLAMA_TOKEN_NULL && !model_->vocab().contains(tag)) {
            throw Failure(
                ErrorCode::InvalidArgument,
                "The tag " + std::to_string(tag) + " of the reasoning is outside the vocabulary.");
        }
    }
    for (const llama_token token : request->closing) {
        if (!model_->vocab().contains(token)) {
            throw Failure(ErrorCode::InvalidArgument,
                          "The closing of the reasoning holds a token outside the vocabulary.");
        }
    }
    if (request->grammar != nullptr && &request->grammar->vocab() != &model_->vocab()) {
        throw Failure(ErrorCode::InvalidArgument,
                      "The grammar was compiled for the vocabulary of another model.");
    }
    {
        std::lock_guard<std::mutex> lock(mutex_);
        if (closed_) {
            throw Failure(ErrorCode::Disposed, disposed_message);
        }
        if (live_.size() >= static_cast<std::size_t>(info_.sequences) + max_queue_) {
            throw Failure(ErrorCode::QueueFull,
                          "The queue is full: " + std::to_string(live_.size()) +
                              " under way, of at most " +
                              std::to_string(info_.sequences + max_queue_) +
                              ". Try again later, or raise `maxQueue`.");
        }
        if (!live_.emplace(request->id, request).second) {
            throw Failure(
                ErrorCode::InvalidArgument,
                "A request with the id " + std::to_string(request->id) + " is under way.");
        }
        ++stats_.requests;
        inbox_.push_back(std::move(request));
    }
    wake_.notify_one();
}

void Engine::cancel(uint32_t id) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = live_.find(id);
    if (found == live_.end()) {
        return;
    }
    // In this order; mark_in_batch() uses the reverse order. At least one of the two sees the
    // other's flag, so every decode can be stopped.
    found->second->cancelled.store(true);
    if (found->second->in_batch.load()) {
        interrupt_.store(true, std::memory_order_relaxed);
    }
}

void Engine::end_reasoning(uint32_t id) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = live_.find(id);
    if (found != live_.end()) {
        found->second->end_reasoning.store(true, std::memory_order_relaxed);
    }
}

EngineStats Engine::stats() const {
    std::lock_guard<std::mutex> lock(mutex_);
    EngineStats snapshot = stats_;
    snapshot.waiting = static_cast<uint32_t>(live_.size()) -
                       std::min(static_cast<uint32_t>(live_.size()), snapshot.running);
    if (Clock::now() - settled_ > rate_window) {
        snapshot.tokens_per_second = 0;  // idle for longer than the rate looks back
    }
    return snapshot;
}

void Engine::request_stop() {
    {
        std::lock_guard<std::mutex> lock(mutex_);
        closed_ = true;
        stopping_.store(true, std::memory_order_relaxed);
    }
    wake_.notify_one();
}

void Engine::stop() {
    request_stop();
    std::lock_guard<std::mutex> lock(stop_mutex_);
    if (thread_.joinable()) {
        thread_.join();
    }
}

bool Engine::stop_until(Clock::time_point deadline) {
    request_stop();
    {
        std::unique_lock<std::mutex> lock(mutex_);
        if (!ended_.wait_until(lock, deadline, [this] { return has_ended_; })) {
            return false;
        }
    }
    stop();
    return true;
}

void Engine::dispose_all() {
    std::vector<Event> out;
    std::deque<std::shared_ptr<Request>> inbox;
    std::deque<Task> tasks;
    {
        std::lock_guard<std::mutex> lock(mutex_);
        closed_ = true;
        inbox.swap(inbox_);
        tasks.swap(tasks_);
    }
    try {
        scheduler_->fail_all(error_code_name(ErrorCode::Disposed), disposed_message, out);
        for (const std::shared_ptr<Request> & request : inbox) {
            out.emplace_back(
                ErrorEvent{request->id, error_code_name(ErrorCode::Disposed), disposed_message});
        }
        settle(out);
        outbox_.add(std::move(out), Clock::now());
        outbox_.flush(Clock::now());
    } catch (...) {
        // Out of memory while closing: the JavaScript side ends its generations itself after
        // close() has joined this thread.
    }
    gate_.close();
    for (const Task & task : tasks) {
        task.abandon();
    }
}

}  // namespace r1

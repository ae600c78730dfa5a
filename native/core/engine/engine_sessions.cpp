// Saved sessions of Engine: holds cells between two steps; other threads copy them while the engine
// thread is paused.
#include "core/engine/engine.h"
#include "core/failure.h"

namespace r1 {
namespace {

Failure disposed() {
    return Failure(ErrorCode::Disposed, "The model was closed. Load it again with loadModel().");
}

}  // namespace

void Engine::run_between_steps(Task task) {
    {
        std::lock_guard<std::mutex> lock(mutex_);
        if (closed_) {
            throw disposed();
        }
        tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
}

std::future<std::shared_ptr<CellHold>> Engine::hold_cells(std::vector<llama_token> tokens,
                                                          uint64_t session) {
    auto promise = std::make_shared<std::promise<std::shared_ptr<CellHold>>>();
    std::future<std::shared_ptr<CellHold>> held = promise->get_future();
    const auto run = [this, promise, tokens = std::move(tokens), session] {
        try {
            std::shared_ptr<CellHold> hold;
            if (!tokens.empty() && !cell_shape_.rows.empty()) {
                hold = scheduler_->hold(tokens, session);
            }
            if (hold == nullptr) {
                throw Failure(ErrorCode::StateInvalid,
                              "The cache no longer holds these tokens. Save right after the "
                              "generation has ended, or give the model more `contextSize`.");
            }
            promise->set_value(std::move(hold));
        } catch (...) {
            promise->set_exception(std::current_exception());
        }
    };
    const auto abandon = [promise] { promise->set_exception(std::make_exception_ptr(disposed())); };
    run_between_steps({run, abandon});
    return held;
}

void Engine::release_cells(std::shared_ptr<CellHold> hold) {
    try {
        run_between_steps({[this, hold] { scheduler_->release(hold, true); }, [] {}});
    } catch (const Failure &) {
        // The engine ends, and its cells with it.
    }
}

void Engine::save_session(const std::shared_ptr<CellHold> & hold,
                          const std::vector<uint8_t> & front, const std::vector<uint8_t> & key,
                          ByteSink & sink, const std::atomic<bool> & cancelled) {
    StepGate::Visitor visitor(gate_);  // from here on the engine thread cannot end
    write_session(visitor, access(), hold, front, key, sink, cancelled);
}

SavedSession Engine::open_session(std::shared_ptr<ByteSource> source,
                                  const std::vector<uint8_t> & key,
                                  const std::atomic<bool> & cancelled) const {
    return read_session(std::move(source), key, cell_shape_, model_->vocab().size(), cancelled);
}

void Engine::restore_session(const SavedSession & saved, uint64_t session,
                             const std::atomic<bool> & cancelled) {
    if (!saved.problem.empty()) {
        throw Failure(ErrorCode::StateInvalid, saved.problem);
    }
    if (saved.tokens.empty() || !keeps_prefixes_) {
        return;
    }
    if (saved.tokens.size() > info_.sequence_context) {
        throw Failure(ErrorCode::ContextFull, "The saved session has " +
                                                  std::to_string(saved.tokens.size()) +
                                                  " tokens, but a sequence of this model holds " +
                                                  std::to_string(info_.sequence_context) +
                                                  ". Load the model with a larger `contextSize`.");
    }
    StepGate::Visitor visitor(gate_);
    restore_cells(visitor, access(), saved, session, cancelled);
}

void Engine::forget_session(uint64_t session) {
    try {
        run_between_steps({[this, session] { scheduler_->forget(session); }, [] {}});
    } catch (const Failure &) {
        // The engine ends, and its cells with it.
    }
}

}  // namespace r1

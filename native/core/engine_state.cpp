// Engine, its saved states: what other threads ask of the cache, done between two steps. Work runs
// on the engine thread.
#include "core/engine.h"
#include "core/failure.h"
#include "core/saved_cells.h"

namespace r1 {

template <typename T>
std::future<T> Engine::run_between_steps(std::function<T()> work) {
    auto promise = std::make_shared<std::promise<T>>();
    std::future<T> result = promise->get_future();
    const Failure disposed(ErrorCode::Disposed,
                           "The model was closed. Load it again with loadModel().");
    Task task;
    task.run = [promise, work = std::move(work)] {
        try {
            if constexpr (std::is_void_v<T>) {
                work();
                promise->set_value();
            } else {
                promise->set_value(work());
            }
        } catch (...) {
            promise->set_exception(std::current_exception());
        }
    };
    task.give_up = [promise, disposed] {
        promise->set_exception(std::make_exception_ptr(disposed));
    };
    {
        std::lock_guard<std::mutex> lock(mutex_);
        if (closed_) {
            throw disposed;
        }
        tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
    return result;
}

std::future<std::vector<uint8_t>> Engine::save_state(std::vector<llama_token> tokens) {
    return run_between_steps<std::vector<uint8_t>>(
        [this, tokens = std::move(tokens)] { return save_cells(tokens); });
}

std::future<void> Engine::restore_state(std::vector<llama_token> tokens,
                                        std::vector<uint8_t> state) {
    return run_between_steps<void>([this, tokens = std::move(tokens), state = std::move(state)] {
        restore_cells(tokens, state);
    });
}

std::vector<uint8_t> Engine::save_cells(const std::vector<llama_token> & tokens) {
    Sequence * sequence = tokens.empty() ? nullptr : scheduler_->idle_holding(tokens);
    if (sequence == nullptr) {
        throw Failure(ErrorCode::StateInvalid,
                      "The cache no longer holds these tokens. Save right after the generation has "
                      "ended, or give the model more `contextSize`.");
    }
    cache_->truncate(sequence->id, tokens.size());
    llama_context * context = context_->handle();
    std::vector<uint8_t> state(llama_state_seq_get_size(context, sequence->id));
    state.resize(llama_state_seq_get_data(context, state.data(), state.size(), sequence->id));
    std::vector<uint8_t> portable = to_portable_cells(std::move(state));
    if (portable.empty()) {
        throw Failure(ErrorCode::StateInvalid,
                      "llama.cpp could not write the state of the sequence.");
    }
    return portable;
}

void Engine::restore_cells(const std::vector<llama_token> & tokens, std::vector<uint8_t> state) {
    const Failure unreadable(ErrorCode::StateInvalid,
                             "llama.cpp could not read the saved state: it is damaged, or was made "
                             "with other cache types.");
    state = from_portable_cells(std::move(state), tokens.size(), streams_);
    if (tokens.empty() || state.empty()) {
        throw unreadable;
    }
    if (tokens.size() > info_.sequence_context) {
        throw Failure(ErrorCode::ContextFull, "The saved session has " +
                                                  std::to_string(tokens.size()) +
                                                  " tokens, but a sequence of this model holds " +
                                                  std::to_string(info_.sequence_context) +
                                                  ". Load the model with a larger `contextSize`.");
    }
    Sequence * sequence = scheduler_->least_recent_idle(nullptr);
    if (sequence == nullptr) {
        throw Failure(ErrorCode::QueueFull,
                      "All sequences are busy, so a saved session cannot be restored now. Try "
                      "again when one has ended.");
    }
    cache_->truncate(sequence->id, 0);
    while (cache_->ledger().shared() && cache_->free_cells() < tokens.size()) {
        // A running stream is not sent back to wait for a conversation that nobody goes on with
        // yet.
        if (!scheduler_->drop_idle()) {
            throw Failure(ErrorCode::ContextFull,
                          "The cache has no room for the saved session while others run. Try again "
                          "when one has ended.");
        }
    }
    const std::size_t read =
        llama_state_seq_set_data(context_->handle(), state.data(), state.size(), sequence->id);
    const llama_pos first = llama_memory_seq_pos_min(context_->memory(), sequence->id);
    const llama_pos last = llama_memory_seq_pos_max(context_->memory(), sequence->id);
    if (read == 0 || first != 0 || last + 1 != static_cast<llama_pos>(tokens.size())) {
        cache_->truncate(sequence->id, 0);
        throw unreadable;
    }
    cache_->restored(sequence->id, tokens);
    scheduler_->touch(*sequence);  // or it would be the first to be given away
}

}  // namespace r1

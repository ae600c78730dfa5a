// StepGate: lets other threads use the engine thread's objects between two of its steps.
#include "core/engine/step_gate.h"

#include <algorithm>

#include "core/failure.h"

namespace r1 {
namespace {

[[noreturn]] void refuse() {
    throw Failure(ErrorCode::Disposed, "The model was closed. Load it again with loadModel().");
}

}  // namespace

StepGate::Visitor::Visitor(StepGate & gate) : gate_(gate) {
    std::lock_guard<std::mutex> lock(gate_.mutex_);
    if (gate_.closed_) {
        refuse();
    }
    ++gate_.visitors_;
}

StepGate::Visitor::~Visitor() {
    leave();
    {
        std::lock_guard<std::mutex> lock(gate_.mutex_);
        --gate_.visitors_;
        // Under the lock: the gate may be destroyed once close() has seen the last visitor leave.
        gate_.changed_.notify_all();
    }
}

void StepGate::Visitor::enter() {
    if (inside_) {
        return;
    }
    {
        std::lock_guard<std::mutex> lock(gate_.mutex_);
        if (gate_.closed_) {
            refuse();
        }
        gate_.queue_.push_back(this);
        gate_.waiting_.fetch_add(1);
    }
    gate_.knock_();
    std::unique_lock<std::mutex> lock(gate_.mutex_);
    gate_.changed_.wait(lock, [this] { return gate_.inside_ == this || gate_.closed_; });
    if (gate_.inside_ != this) {
        refuse();  // close() has emptied the queue
    }
    inside_ = true;
}

void StepGate::Visitor::leave() {
    if (!inside_) {
        return;
    }
    inside_ = false;
    std::lock_guard<std::mutex> lock(gate_.mutex_);
    gate_.inside_ = nullptr;
    gate_.changed_.notify_all();
}

void StepGate::serve(Clock::duration time) {
    if (!has_waiting()) {
        return;
    }
    const Clock::time_point until = Clock::now() + time;
    std::unique_lock<std::mutex> lock(mutex_);
    while (!queue_.empty()) {
        inside_ = queue_.front();
        queue_.pop_front();
        waiting_.fetch_sub(1);
        inside_->until_ = until;
        changed_.notify_all();
        changed_.wait(lock, [this] { return inside_ == nullptr; });
        if (Clock::now() >= until) {
            return;
        }
    }
}

void StepGate::close() {
    std::unique_lock<std::mutex> lock(mutex_);
    closed_ = true;
    queue_.clear();
    waiting_.store(0);
    changed_.notify_all();
    changed_.wait(lock, [this] { return visitors_ == 0; });
}

}  // namespace r1

// StepGate: lets other threads use the engine thread's objects between two of its steps, each for a
// bounded time, while the engine thread is paused.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

namespace r1 {

class StepGate {
public:
    using Clock = std::chrono::steady_clock;

    /** `knock` wakes the engine thread; called on visitors' threads. */
    explicit StepGate(std::function<void()> knock) : knock_(std::move(knock)) {}
    StepGate(const StepGate &) = delete;
    StepGate & operator=(const StepGate &) = delete;

    /**
     * One thread's right to enter any number of times. The engine thread ends only after all
     * visitors are gone. Throws Failure(Disposed) if it is ending.
     */
    class Visitor {
    public:
        explicit Visitor(StepGate & gate);
        ~Visitor();
        Visitor(const Visitor &) = delete;
        Visitor & operator=(const Visitor &) = delete;

        /** Waits until the engine thread is paused for this thread. Throws Failure(Disposed). */
        void enter();
        /** Lets the engine thread continue. Does nothing outside. */
        void leave();
        bool is_inside() const { return inside_; }
        /** Whether the time is over and others are waiting. Inside only. */
        bool is_overdue() const { return Clock::now() >= until_; }

    private:
        friend class StepGate;
        StepGate & gate_;
        bool inside_ = false;        // the visitor's thread
        Clock::time_point until_{};  // set before it is let in
    };

    /**
     * Engine thread, between two steps: admits waiting threads, one after the other, until the time
     * is over.
     */
    void serve(Clock::duration time);

    /** Whether somebody waits. Any thread. */
    bool has_waiting() const { return waiting_.load() > 0; }

    /** Engine thread, at its end: admits no more threads and waits until all visitors are gone. */
    void close();

private:
    std::function<void()> knock_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Visitor *> queue_;
    Visitor * inside_ = nullptr;
    uint32_t visitors_ = 0;
    bool closed_ = false;
    std::atomic<uint32_t> waiting_{0};
};

}  // namespace r1

// Outbox: gathers the events of steps that follow each other fast, since waking JavaScript's thread
// costs more than what it is told. Engine thread only.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "core/engine/request.h"

namespace r1 {

class Outbox {
public:
    /** Receives events on the engine thread; must not block. */
    using Sink = std::function<void(std::vector<Event> &&)>;

    /** Longest that a token waits for those after it: a frame of a display. A first token after a
     * pause is told at once. */
    static constexpr std::chrono::microseconds patience{15000};
    /** Steps that take longer are told at once each: a wake-up is then a small part of what a token
     * costs. */
    static constexpr std::chrono::microseconds brisk{2500};

    explicit Outbox(Sink sink) : sink_(std::move(sink)) {}

    /** Takes what a step brought about. Tokens of a brisk step stay for the next if it is likely to
     * end within the patience; an end never waits. */
    void add(std::vector<Event> && events, Clock::time_point now);

    /** Tells what is held. To be called before anything that takes longer than the last step. */
    void flush(Clock::time_point now);

private:
    Sink sink_;
    std::vector<Event> held_;
    Clock::time_point told_{};
    Clock::time_point added_{};
};

}  // namespace r1

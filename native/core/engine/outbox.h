// Outbox: collects the events of steps in quick succession, because waking the JavaScript thread
// costs more than the delivery itself. Engine thread only.
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

    /**
     * Maximum time that a token waits for later ones: a frame of a display. The first token after a
     * pause and the early ones of a request are delivered at once.
     */
    static constexpr std::chrono::microseconds max_delay{15000};
    /**
     * Longer steps are delivered at once: a wake-up is then a small part of the cost of a token.
     */
    static constexpr std::chrono::microseconds quick_step{2500};

    explicit Outbox(Sink sink) : sink_(std::move(sink)) {}

    /**
     * Takes the events of a step. Tokens of a fast step wait for the next step if it is likely to
     * end within the maximum wait; an end event and a request's early tokens never wait.
     */
    void add(std::vector<Event> && events, Clock::time_point now);

    /** Delivers the held events. Call it before anything that takes longer than the last step. */
    void flush(Clock::time_point now);

private:
    Sink sink_;
    std::vector<Event> held_;
    Clock::time_point last_delivery_{};
    Clock::time_point added_{};
};

}  // namespace r1

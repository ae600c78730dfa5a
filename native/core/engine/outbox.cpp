// Outbox: collects the events of steps in quick succession, because waking the JavaScript thread
// costs more than the delivery itself. Engine thread only.
#include "core/engine/outbox.h"

#include <algorithm>
#include <iterator>

namespace r1 {

void Outbox::add(std::vector<Event> && events, Clock::time_point now) {
    const Clock::duration step = now - added_;
    added_ = now;
    const bool is_urgent = std::any_of(events.begin(), events.end(), [](const Event & event) {
        const TokenEvent * token = std::get_if<TokenEvent>(&event);
        return token == nullptr || token->is_early;  // an end, or the progress of a prompt
    });
    if (held_.empty()) {
        held_ = std::move(events);
    } else {
        held_.insert(held_.end(), std::make_move_iterator(events.begin()),
                     std::make_move_iterator(events.end()));
    }
    if (is_urgent || step > quick_step || now - last_delivery_ + step > max_delay) {
        flush(now);
    }
}

void Outbox::flush(Clock::time_point now) {
    if (held_.empty()) {
        return;
    }
    last_delivery_ = now;
    sink_(std::move(held_));
    held_ = {};
}

}  // namespace r1

// StopGate: holds back text that could begin a stop string, token by token, so that no part of one
// is ever released. One owner, no lock.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/engine/request.h"

namespace r1 {

class StopGate {
public:
    explicit StopGate(std::vector<std::string> stops) : stops_(std::move(stops)) {}

    /**
     * Takes the next token with its whole characters. Appends the events that are now safe to
     * `out`, in order. True if a stop string is complete: the text before it and the ids of all
     * tokens are released, the rest of the text is dropped.
     */
    bool push(TokenEvent event, std::vector<Event> & out);

    /** Which stop string is complete: its index; -1 as long as none is. */
    int32_t matched() const { return matched_; }

    /** Releases everything held, at the end of a request. */
    void flush(std::vector<Event> & out);

private:
    std::size_t held_suffix() const;

    std::vector<std::string> stops_;
    std::deque<TokenEvent> held_;
    std::string text_;  // of all held events, joined
    int32_t matched_ = -1;
};

}  // namespace r1

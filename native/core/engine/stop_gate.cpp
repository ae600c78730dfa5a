// StopGate: holds back text that could begin a stop string, token by token, so that no part of one
// is ever released. One owner, no lock.
#include "core/engine/stop_gate.h"

#include <algorithm>

namespace r1 {

// Length of the longest suffix of the held text that begins a stop string.
std::size_t StopGate::held_suffix() const {
    std::size_t longest = 0;
    for (const std::string & stop : stops_) {
        std::size_t length = std::min(stop.size() - 1, text_.size());
        for (; length > longest; --length) {
            if (text_.compare(text_.size() - length, length, stop, 0, length) == 0) {
                longest = length;
                break;
            }
        }
    }
    return longest;
}

bool StopGate::push(TokenEvent event, std::vector<Event> & out) {
    if (stops_.empty()) {
        out.emplace_back(std::move(event));
        return false;
    }
    text_ += event.text;
    held_.push_back(std::move(event));

    std::size_t match = std::string::npos;
    for (std::size_t i = 0; i < stops_.size(); ++i) {
        const std::size_t at = text_.find(stops_[i]);
        if (at < match) {
            match = at;
            matched_ = static_cast<int32_t>(i);
        }
    }
    if (match != std::string::npos) {
        std::size_t left = match;
        for (TokenEvent & held : held_) {
            if (held.text.size() > left) {
                held.text.resize(left);
            }
            left -= held.text.size();
            out.emplace_back(std::move(held));
        }
        held_.clear();
        text_.clear();
        return true;
    }

    // Releases whole tokens, up to the one in which a stop string could have begun.
    const std::size_t safe = text_.size() - held_suffix();
    std::size_t released = 0;
    while (!held_.empty() && released + held_.front().text.size() <= safe) {
        released += held_.front().text.size();
        out.emplace_back(std::move(held_.front()));
        held_.pop_front();
    }
    text_.erase(0, released);
    return false;
}

void StopGate::flush(std::vector<Event> & out) {
    for (TokenEvent & held : held_) {
        out.emplace_back(std::move(held));
    }
    held_.clear();
    text_.clear();
}

}  // namespace r1

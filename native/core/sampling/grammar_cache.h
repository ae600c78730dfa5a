// GrammarCache: compiled grammars of one vocabulary by their text, the least recently used dropped
// first. Any thread.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/sampling/grammar.h"

namespace r1 {

class GrammarCache {
public:
    /** Bytes of all grammars together. A grammar in use stays alive when it is dropped here. */
    static constexpr std::size_t max_bytes = std::size_t{128} << 20;
    static constexpr std::size_t max_grammars = 256;

    /** The grammar of a text, or nullptr. */
    std::shared_ptr<Grammar> find(const std::string & source) {
        std::lock_guard<std::mutex> lock(mutex_);
        const auto known = places_.find(source);
        if (known == places_.end()) return nullptr;
        order_.splice(order_.begin(), order_, known->second);
        return order_.front();
    }

    /**
     * Stores a grammar. Returns the stored one for its text: another thread may have been first.
     */
    std::shared_ptr<Grammar> add(std::shared_ptr<Grammar> grammar) {
        std::lock_guard<std::mutex> lock(mutex_);
        const auto known = places_.find(grammar->source());
        if (known != places_.end()) return *known->second;
        order_.push_front(grammar);
        places_.emplace(grammar->source(), order_.begin());
        std::size_t bytes = 0;
        auto last = order_.begin();
        for (std::size_t kept = 0; last != order_.end(); ++last, ++kept) {
            bytes += (*last)->bytes();
            if (kept > 0 && (bytes > max_bytes || kept >= max_grammars)) break;
        }
        for (auto each = last; each != order_.end(); ++each) places_.erase((*each)->source());
        order_.erase(last, order_.end());
        return grammar;
    }

private:
    std::mutex mutex_;
    std::list<std::shared_ptr<Grammar>> order_;  // the last used first
    std::unordered_map<std::string, std::list<std::shared_ptr<Grammar>>::iterator> places_;
};

}  // namespace r1

// NgramDraft: guesses the next tokens by looking up where the last few stood before. No second model. Engine thread only.
#include "core/ngram.h"

#include <algorithm>

namespace r1 {

uint64_t NgramDraft::key(const llama_token * at) {
    uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a over the three ids
    for (std::size_t i = 0; i < gram; ++i) {
        hash = (hash ^ static_cast<uint32_t>(at[i])) * 0x100000001b3ULL;
        hash ^= hash >> 29;
    }
    return hash;
}

void NgramDraft::follow(const std::vector<llama_token> & tokens) {
    if (longest_ <= 0) {
        return;
    }
    // The n-gram at the very end is left out: what follows it is not known yet.
    for (indexed_ = std::max(indexed_, gram); indexed_ < tokens.size(); ++indexed_) {
        last_seen_[key(tokens.data() + indexed_ - gram)] = indexed_;
    }
}

std::vector<llama_token> NgramDraft::propose(const std::vector<llama_token> & tokens, std::size_t most) {
    if (longest_ <= 0 || most == 0 || tokens.size() <= gram) {
        return {};
    }
    if (pause_ > 0) {
        --pause_;
        return {};
    }
    const auto found = last_seen_.find(key(tokens.data() + tokens.size() - gram));
    if (found == last_seen_.end()) {
        return {};
    }
    const std::size_t start = found->second;
    if (!std::equal(tokens.end() - static_cast<std::ptrdiff_t>(gram), tokens.end(), tokens.begin() + static_cast<std::ptrdiff_t>(start - gram))) {
        return {};  // another n-gram with the same hash
    }
    const std::size_t length = std::min({most, static_cast<std::size_t>(std::min(length_, longest_)), tokens.size() - start});
    return std::vector<llama_token>(tokens.begin() + static_cast<std::ptrdiff_t>(start), tokens.begin() + static_cast<std::ptrdiff_t>(start + length));
}

void NgramDraft::report(std::size_t drafted, std::size_t accepted) {
    if (drafted == 0) {
        return;
    }
    const double share = static_cast<double>(accepted) / static_cast<double>(drafted);
    success_ += 0.25 * (share - success_);
    if (accepted == drafted) {
        length_ = std::min(longest_, length_ * 2);
        next_pause_ = 16;
    } else if (share < 0.5) {
        length_ = std::max(2, length_ / 2);
    }
    if (success_ < 0.3) {
        // Verifying costs more than it saves: rest, longer each time, then try again with an open mind.
        pause_ = next_pause_;
        next_pause_ = std::min(next_pause_ * 2, 512);
        success_ = 0.5;
        length_ = 2;
    }
}

}  // namespace r1

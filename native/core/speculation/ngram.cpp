// NgramDraft: guesses the next tokens by looking up where the last few occurred before. No second
// model. Engine thread only.
#include "core/speculation/ngram.h"

#include <algorithm>

namespace r1 {

uint64_t NgramDraft::key(const llama_token * at) {
    uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a over the ids
    for (std::size_t i = 0; i < gram; ++i) {
        hash = (hash ^ static_cast<uint32_t>(at[i])) * 0x100000001b3ULL;
        hash ^= hash >> 29;
    }
    return hash;
}

void NgramDraft::follow(const std::vector<llama_token> & tokens, std::size_t count) {
    // The n-gram at the very end is left out: what follows it is not known yet.
    for (indexed_ = std::max(indexed_, gram); indexed_ < count; ++indexed_) {
        last_seen_[key(tokens.data() + indexed_ - gram)] = indexed_;
    }
}

NgramDraft::Match NgramDraft::find(const std::vector<llama_token> & tokens,
                                   std::size_t count) const {
    if (count <= gram) {
        return {};
    }
    const auto found = last_seen_.find(key(tokens.data() + count - gram));
    if (found == last_seen_.end()) {
        return {};
    }
    const std::size_t next = found->second;
    std::size_t length = 0;
    while (length < std::min(next, max_compared) &&
           tokens[next - 1 - length] == tokens[count - 1 - length]) {
        ++length;
    }
    return length < gram ? Match{}
                         : Match{next, length};  // less: another n-gram with the same hash
}

std::vector<llama_token> NgramDraft::propose(const std::vector<llama_token> & tokens,
                                             const Match & match, std::size_t count) {
    // Copied as if the copy went on: text that repeats with a short period is guessed beyond its
    // end.
    std::vector<llama_token> guesses(count);
    const std::size_t known = tokens.size() - match.next;
    for (std::size_t i = 0; i < count; ++i) {
        guesses[i] = i < known ? tokens[match.next + i] : guesses[i - known];
    }
    return guesses;
}

}  // namespace r1

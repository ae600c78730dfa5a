// TokenTrie: the tokens of a vocabulary by their bytes. Any thread.
#include "core/text/token_trie.h"

#include <algorithm>
#include <limits>

namespace r1 {

TokenTrie::TokenTrie(int32_t size, const std::function<std::string_view(llama_token)> & bytes) {
    constexpr std::size_t deepest = std::numeric_limits<uint16_t>::max();
    std::vector<llama_token> order;
    for (llama_token id = 0; id < size; ++id) {
        const std::string_view text = bytes(id);
        if (!text.empty() && text[0] != '\0' && text.size() <= deepest) order.push_back(id);
    }
    std::sort(order.begin(), order.end(), [&](llama_token a, llama_token b) {
        const int compared = bytes(a).compare(bytes(b));
        return compared != 0 ? compared < 0 : a < b;
    });
    std::vector<int32_t> path;  // nodes on the way to the last one
    std::string_view before;
    const auto leave = [&](std::size_t depth) {
        while (path.size() > depth) {
            nodes_[static_cast<std::size_t>(path.back())].end = static_cast<int32_t>(nodes_.size());
            path.pop_back();
        }
    };
    for (const llama_token id : order) {
        const std::string_view text = bytes(id);
        std::size_t common = 0;
        while (common < text.size() && common < before.size() && text[common] == before[common])
            ++common;
        leave(common);
        for (std::size_t i = common; i < text.size(); ++i) {
            path.push_back(static_cast<int32_t>(nodes_.size()));
            nodes_.push_back({static_cast<uint8_t>(text[i]), false, static_cast<uint16_t>(i + 1), 0,
                              static_cast<int32_t>(tokens_.size())});
        }
        nodes_.back().has_tokens = true;
        tokens_.push_back(id);
        before = text;
    }
    leave(0);
    nodes_.push_back({0, false, 0, 0, static_cast<int32_t>(tokens_.size())});
    nodes_.shrink_to_fit();
}

}  // namespace r1

// TokenTrie: the tokens of a vocabulary by their bytes, so that common prefixes are checked once.
// Made once for a vocabulary; any thread.
#pragma once

#include <llama.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace r1 {

/** Nodes in the order of a walk from the top: a node, then all below it. Node i stands for the
 * bytes on the way to it. Tokens without bytes, and those that begin with a null byte, are not in
 * it. */
class TokenTrie {
public:
    struct Node {
        uint8_t byte;
        bool has_tokens;
        uint16_t depth;       // 1: below the top
        int32_t end;          // the first node that is not below this one
        int32_t first_token;  // its tokens end where the next node's begin
    };

    /** `bytes` gives those of each token below `size`. */
    TokenTrie(int32_t size, const std::function<std::string_view(llama_token)> & bytes);

    int32_t node_count() const { return static_cast<int32_t>(nodes_.size()) - 1; }
    const Node & node(int32_t at) const { return nodes_[static_cast<std::size_t>(at)]; }
    const std::vector<llama_token> & tokens() const { return tokens_; }

private:
    std::vector<Node> nodes_;  // and one behind the last
    std::vector<llama_token> tokens_;
};

}  // namespace r1

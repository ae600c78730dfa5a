// SpecialTexts: cuts a text at its special tokens.
#include "core/text/special_texts.h"

#include <algorithm>

#include "core/failure.h"

namespace r1 {

SpecialTexts::SpecialTexts(const std::vector<SpecialToken> & tokens) : tokens_(tokens), nodes_(1) {
    // The same sort over the same order as upstream's, so that equal lengths come out alike.
    std::sort(tokens_.begin(), tokens_.end(), [](const SpecialToken & a, const SpecialToken & b) {
        return a.text.size() > b.text.size();
    });
    for (std::uint32_t place = 0; place < tokens_.size(); ++place) {
        const SpecialToken & token = tokens_[place];
        if (token.text.empty()) {
            continue;  // upstream would look for it for ever
        }
        strips_ |= (token.attr & (LLAMA_TOKEN_ATTR_LSTRIP | LLAMA_TOKEN_ATTR_RSTRIP)) != 0;
        begins_[static_cast<unsigned char>(token.text[0])] = true;
        std::uint32_t at = 0;
        for (const char c : token.text) {
            const auto byte = static_cast<unsigned char>(c);
            auto & next = nodes_[at].next;
            const auto found = std::find_if(next.begin(), next.end(),
                                            [&](const auto & step) { return step.first == byte; });
            if (found != next.end()) {
                at = found->second;
                continue;
            }
            const auto made = static_cast<std::uint32_t>(nodes_.size());
            next.emplace_back(byte, made);
            nodes_.emplace_back();
            at = made;
        }
        nodes_[at].ends.push_back(place);
    }
}

std::vector<SpecialTexts::Piece> SpecialTexts::cut(std::string_view text,
                                                   bool parse_special) const {
    struct Found {
        std::uint32_t place;
        std::size_t start;
    };
    std::vector<Found> found;
    std::size_t steps = 0;
    const std::size_t max_steps = 256 * text.size() + 4096;
    for (std::size_t start = 0; start < text.size(); ++start) {
        if (!begins_[static_cast<unsigned char>(text[start])]) {
            continue;
        }
        const Node * node = &nodes_[0];
        for (std::size_t at = start; at < text.size(); ++at) {
            const auto byte = static_cast<unsigned char>(text[at]);
            const auto step = std::find_if(node->next.begin(), node->next.end(),
                                           [&](const auto & each) { return each.first == byte; });
            if (step == node->next.end()) {
                break;
            }
            node = &nodes_[step->second];
            steps += 1 + node->ends.size();
            if (steps > max_steps) {
                throw Failure(ErrorCode::TextTooLong,
                              "The text holds too many beginnings of this vocabulary's special "
                              "tokens. Cut it into parts.");
            }
            for (const std::uint32_t place : node->ends) {
                const bool is_plain =
                    !parse_special && (tokens_[place].attr &
                                       (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN)) != 0;
                if (!is_plain) {
                    found.push_back({place, start});
                }
            }
        }
    }
    // Upstream looks for one token after the other, each from the left in what is still text.
    std::stable_sort(found.begin(), found.end(),
                     [](const Found & a, const Found & b) { return a.place < b.place; });
    std::vector<Piece> taken;
    std::vector<bool> is_taken(found.empty() ? 0 : text.size(), false);
    for (const auto & [place, start] : found) {
        const std::size_t bytes = tokens_[place].text.size();
        const auto first = is_taken.begin() + static_cast<std::ptrdiff_t>(start);
        const auto last = first + static_cast<std::ptrdiff_t>(bytes);
        if (std::find(first, last, true) != last) {
            continue;
        }
        std::fill(first, last, true);
        taken.push_back({tokens_[place].id, start, bytes});
    }
    std::sort(taken.begin(), taken.end(),
              [](const Piece & a, const Piece & b) { return a.start < b.start; });
    std::vector<Piece> pieces;
    std::size_t at = 0;
    for (const Piece & token : taken) {
        if (at < token.start) {
            pieces.push_back({LLAMA_TOKEN_NULL, at, token.start - at});
        }
        pieces.push_back(token);
        at = token.start + token.bytes;
    }
    if (at < text.size()) {
        pieces.push_back({LLAMA_TOKEN_NULL, at, text.size() - at});
    }
    return pieces;
}

}  // namespace r1

// Vocab: text to ids and back, with a form of tokenising in which no text can become a special token. Any thread: everything is read-only after construction.
#include "core/vocab.h"

#include <algorithm>
#include <limits>

#include "core/failure.h"

namespace r1 {
namespace {

constexpr int special_attrs = LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_USER_DEFINED | LLAMA_TOKEN_ATTR_UNKNOWN;

std::size_t character_bytes(unsigned char first) {
    if (first < 0x80) return 1;
    if ((first & 0xE0) == 0xC0) return 2;
    if ((first & 0xF0) == 0xE0) return 3;
    return (first & 0xF8) == 0xF0 ? 4 : 1;
}

}  // namespace

Vocab::Vocab(const llama_model * model) : vocab_(llama_model_get_vocab(model)), size_(llama_vocab_n_tokens(vocab_)), byte_tokens_(256, LLAMA_TOKEN_NULL) {
    special_.resize(static_cast<std::size_t>(size_), false);
    if (llama_vocab_type(vocab_) == LLAMA_VOCAB_TYPE_NONE) {
        return;  // no text at all: every vocabulary call would abort
    }
    for (llama_token id = 0; id < size_; ++id) {
        const llama_token_attr attr = llama_vocab_get_attr(vocab_, id);
        if ((attr & special_attrs) == 0) {
            const std::string bytes = piece(id);
            llama_token & slot = byte_tokens_[bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0])];
            if (bytes.size() == 1 && slot == LLAMA_TOKEN_NULL) {
                slot = id;
            }
            continue;
        }
        special_[static_cast<std::size_t>(id)] = true;
        special_tokens_.push_back({id, llama_vocab_get_text(vocab_, id), attr});
        const std::string & text = special_tokens_.back().text;
        if ((attr & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN)) == 0 && !text.empty()) {
            markers_by_first_byte_[static_cast<unsigned char>(text[0])].push_back(text);
        }
    }
}

std::vector<llama_token> Vocab::tokenize(std::string_view text, bool parse_special) const {
    if (text.empty()) {
        return {};
    }
    if (llama_vocab_type(vocab_) == LLAMA_VOCAB_TYPE_NONE) {
        throw Failure(ErrorCode::InvalidArgument, "This model has no vocabulary, so text cannot be tokenised. Pass token ids.");
    }
    if (text.size() > static_cast<std::size_t>(std::numeric_limits<int32_t>::max()) / 2) {
        throw Failure(ErrorCode::InvalidArgument, "A text of " + std::to_string(text.size()) + " bytes is too long to tokenise. Cut it into parts.");
    }
    const int32_t length = static_cast<int32_t>(text.size());
    std::vector<llama_token> ids(text.size() / 2 + 16);
    int32_t count = llama_tokenize(vocab_, text.data(), length, ids.data(), static_cast<int32_t>(ids.size()), false, parse_special);
    if (count == std::numeric_limits<int32_t>::min()) {
        throw Failure(ErrorCode::InvalidArgument, "The text is too long to tokenise. Cut it into parts.");
    }
    if (count < 0) {
        ids.resize(static_cast<std::size_t>(-count));
        count = llama_tokenize(vocab_, text.data(), length, ids.data(), static_cast<int32_t>(ids.size()), false, parse_special);
    }
    if (count < 0) {
        throw Failure(ErrorCode::Internal, "llama_tokenize returned " + std::to_string(count) + " for a buffer of the size it asked for.");
    }
    ids.resize(static_cast<std::size_t>(count));
    return ids;
}

std::vector<llama_token> Vocab::tokenize_special(std::string_view text) const { return tokenize(text, true); }

// Where to cut so that the earliest-ending marker of the text falls into two pieces: after its first character. npos: no marker in the text.
std::size_t Vocab::first_marker_cut(std::string_view text) const {
    std::size_t best_end = std::string_view::npos;
    std::size_t best_start = 0;
    for (std::size_t start = 0; start < text.size() && start < best_end; ++start) {
        for (const std::string & marker : markers_by_first_byte_[static_cast<unsigned char>(text[start])]) {
            const std::size_t end = start + marker.size();
            if (end < best_end && text.compare(start, marker.size(), marker) == 0) {
                best_end = end;
                best_start = start;
            }
        }
    }
    if (best_end == std::string_view::npos) {
        return std::string_view::npos;
    }
    return std::min(best_end, best_start + character_bytes(static_cast<unsigned char>(text[best_start])));
}

std::vector<llama_token> Vocab::tokenize_safe(std::string_view text) const {
    std::vector<llama_token> out;
    std::size_t cut = 0;
    while (!text.empty() && (cut = first_marker_cut(text)) != std::string_view::npos) {
        append_safe_piece(text.substr(0, cut), out);
        text.remove_prefix(cut);
    }
    append_safe_piece(text, out);
    return out;
}

// A piece that still yields a special id (a marker of one character, a word that is a token as a whole) is written byte by byte.
void Vocab::append_safe_piece(std::string_view text, std::vector<llama_token> & out) const {
    const std::vector<llama_token> ids = tokenize(text, false);
    if (std::none_of(ids.begin(), ids.end(), [this](llama_token id) { return is_special(id); })) {
        out.insert(out.end(), ids.begin(), ids.end());
        return;
    }
    append_bytes(text, out);
}

void Vocab::append_bytes(std::string_view text, std::vector<llama_token> & out) const {
    for (const char c : text) {
        const llama_token id = byte_tokens_[static_cast<unsigned char>(c)];
        if (id == LLAMA_TOKEN_NULL) {
            throw Failure(ErrorCode::InvalidArgument,
                          "The text holds a special token of this vocabulary, and the vocabulary has no other way to write it. Remove it from the text.");
        }
        out.push_back(id);
    }
}

std::string Vocab::piece(llama_token id) const {
    char small[128];
    const int32_t size = llama_token_to_piece(vocab_, id, small, sizeof(small), 0, true);
    if (size >= 0) {
        return std::string(small, static_cast<std::size_t>(size));
    }
    std::string bytes(static_cast<std::size_t>(-size), '\0');
    llama_token_to_piece(vocab_, id, bytes.data(), -size, 0, true);
    return bytes;
}

std::string Vocab::detokenize(const llama_token * ids, std::size_t count) const {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        if (!contains(ids[i])) {
            throw Failure(ErrorCode::InvalidArgument,
                          "Token " + std::to_string(ids[i]) + " is outside the vocabulary of " + std::to_string(size_) + " tokens.");
        }
        text += piece(ids[i]);
    }
    return text;
}

}  // namespace r1

// Vocab: converts text to ids and back, with a way of tokenising in which no text can become a
// special token. Any thread.
#include "core/text/vocab.h"

#include <algorithm>
#include <cstring>

#include "core/failure.h"

namespace r1 {
namespace {

constexpr int special_attrs =
    LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_USER_DEFINED | LLAMA_TOKEN_ATTR_UNKNOWN;

// Names of tokens of one byte: a character of its own or up to four that stand for it (an escape),
// or <0x0A>.
bool may_name_byte(const char * name) {
    const std::size_t length = ::strnlen(name, 7);
    return length <= 4 || (length == 6 && name[0] == '<');
}

// Matched with the spaces around them, or standing for text that the vocabulary does not know.
constexpr int altering_attrs =
    LLAMA_TOKEN_ATTR_LSTRIP | LLAMA_TOKEN_ATTR_RSTRIP | LLAMA_TOKEN_ATTR_UNKNOWN;

std::size_t character_bytes(unsigned char first) {
    if (first < 0x80) return 1;
    if ((first & 0xE0) == 0xC0) return 2;
    if ((first & 0xF0) == 0xE0) return 3;
    return (first & 0xF8) == 0xF0 ? 4 : 1;
}

}  // namespace

Vocab::Vocab(const llama_model * model)
    : vocab_(llama_model_get_vocab(model)),
      size_(llama_vocab_n_tokens(vocab_)),
      byte_tokens_(256, LLAMA_TOKEN_NULL) {
    special_.resize(static_cast<std::size_t>(size_), false);
    // For a model without any text, every vocabulary call would abort.
    const bool has_text = llama_vocab_type(vocab_) != LLAMA_VOCAB_TYPE_NONE;
    for (llama_token id = 0; has_text && id < size_; ++id) {
        if (llama_vocab_is_eog(vocab_, id)) end_tokens_.push_back(id);
        const llama_token_attr attr = llama_vocab_get_attr(vocab_, id);
        if ((attr & special_attrs) == 0) {
            // The others need no spelling: there are a hundred thousand of them.
            if (!may_name_byte(llama_vocab_get_text(vocab_, id))) {
                continue;
            }
            const std::string bytes = piece(id);
            llama_token & slot =
                byte_tokens_[bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0])];
            if (bytes.size() == 1 && slot == LLAMA_TOKEN_NULL) {
                slot = id;
            }
            continue;
        }
        special_[static_cast<std::size_t>(id)] = true;
        special_tokens_.push_back({id, llama_vocab_get_text(vocab_, id), attr});
    }
    tokenizer_ = std::make_unique<Tokenizer>(vocab_, special_tokens_);
}

int Vocab::longest_token() const { return tokenizer_->longest_token(); }

std::vector<llama_token> Vocab::tokenize(std::string_view text, bool parse_special) const {
    return tokenizer_->tokenize(text, parse_special);
}

std::vector<llama_token> Vocab::tokenize_special(std::string_view text) const {
    return tokenize(text, true);
}

// llama.cpp matches user-defined tokens whatever parse_special says, and a word may be a special
// token as a whole. One call of the tokeniser finds them all; each is then put in other tokens that
// spell the same text.
std::vector<llama_token> Vocab::tokenize_safe(std::string_view text) const {
    const std::vector<llama_token> ids = tokenize(text, false);
    const auto is_special_id = [this](llama_token id) { return is_special(id); };
    if (std::none_of(ids.begin(), ids.end(), is_special_id)) {
        return ids;
    }
    const bool alters_text = std::any_of(ids.begin(), ids.end(), [this](llama_token id) {
        return is_special(id) && (llama_vocab_get_attr(vocab_, id) & altering_attrs) != 0;
    });
    std::vector<llama_token> out;
    if (alters_text) {
        append_bytes(text, out);  // the token stands for more or less than its own text
        return out;
    }
    for (const llama_token id : ids) {
        if (is_special(id)) {
            const std::vector<llama_token> & safe = safe_ids(id);
            out.insert(out.end(), safe.begin(), safe.end());
        } else {
            out.push_back(id);
        }
    }
    return out;
}

const std::vector<llama_token> & Vocab::safe_ids(llama_token special) const {
    {
        std::lock_guard<std::mutex> lock(safe_mutex_);
        const auto known = safe_ids_.find(special);
        if (known != safe_ids_.end()) {
            return known->second;
        }
    }
    std::vector<llama_token> made = spell_out(special);
    std::lock_guard<std::mutex> lock(safe_mutex_);
    return safe_ids_.emplace(special, std::move(made))
        .first->second;  // references into the map stay valid while it grows
}

// The token's text in ordinary tokens: cut after its first character, so that neither half is the
// token; byte by byte if that is not possible.
std::vector<llama_token> Vocab::spell_out(llama_token special) const {
    const std::string text = piece(special);
    const std::size_t cut = std::min(
        text.size(), character_bytes(static_cast<unsigned char>(text.empty() ? '\0' : text[0])));
    std::vector<llama_token> out = tokenize(std::string_view(text).substr(0, cut), false);
    const std::vector<llama_token> rest = tokenize(std::string_view(text).substr(cut), false);
    out.insert(out.end(), rest.begin(), rest.end());
    if (std::any_of(out.begin(), out.end(), [this](llama_token id) { return is_special(id); })) {
        out.clear();
        append_bytes(text, out);
    }
    return out;
}

void Vocab::append_bytes(std::string_view text, std::vector<llama_token> & out) const {
    for (const char c : text) {
        const llama_token id = byte_tokens_[static_cast<unsigned char>(c)];
        if (id == LLAMA_TOKEN_NULL) {
            throw Failure(ErrorCode::InvalidArgument,
                          "The text holds a special token of this vocabulary, and the vocabulary "
                          "has no other way to write it. Remove it from the text.");
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

std::string_view Vocab::bytes(llama_token id) const {
    std::call_once(table_made_, [this] {
        for (llama_token each = 0; each < size_; ++each) {
            starts_.push_back(table_.size());
            table_ += piece(each);
        }
        starts_.push_back(table_.size());
    });
    const auto at = static_cast<std::size_t>(id);
    return std::string_view(table_).substr(starts_[at], starts_[at + 1] - starts_[at]);
}

const TokenTrie & Vocab::trie() const {
    std::call_once(trie_made_, [this] {
        trie_ =
            std::make_unique<const TokenTrie>(size_, [this](llama_token id) { return bytes(id); });
        for (llama_token id = 0; id < size_; ++id)
            longest_text_ = std::max(longest_text_, std::strlen(llama_vocab_get_text(vocab_, id)));
    });
    return *trie_;
}

llama_token Vocab::single_token(std::string_view text) const {
    trie();  // for longest_text_: no text that is longer is one token
    if (text.size() > longest_text_) return -1;
    for (const SpecialToken & special : special_tokens_) {
        if (special.text == text) return special.id;
    }
    const std::vector<llama_token> ids = tokenize_special(text);
    return ids.size() == 1 ? ids[0] : -1;
}

std::string Vocab::detokenize(const llama_token * ids, std::size_t count) const {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        if (!contains(ids[i])) {
            throw Failure(ErrorCode::InvalidArgument, "Token " + std::to_string(ids[i]) +
                                                          " is outside the vocabulary of " +
                                                          std::to_string(size_) + " tokens.");
        }
        text += piece(ids[i]);
    }
    return text;
}

}  // namespace r1

// Tokenizer: our own splitter where llama.cpp's would recurse, llama.cpp's elsewhere.
#include "core/text/tokenizer.h"

#include <limits>
#include <mutex>
#include <new>
#include <string>

#include "core/failure.h"
#include "core/text/bpe.h"
#include "core/text/deep_stack.h"
#include "core/text/r1_words.h"

namespace r1 {
namespace {

/** Texts up to here are short enough for any stack. */
constexpr std::size_t shallow_bytes = 512;
/** Maximum stack of std::regex for each byte of a text, and the stack of any call. */
constexpr std::size_t stack_per_byte = 1024;
constexpr std::size_t stack_base = 1u << 20;

/** llama.cpp's own search for special tokens takes time by the square of their number. */
constexpr std::size_t max_upstream_pieces = 20000;

[[noreturn]] void refuse_length(std::size_t bytes, std::size_t most) {
    throw Failure(ErrorCode::TextTooLong, "A text of " + std::to_string(bytes) +
                                              " bytes is longer than the " + std::to_string(most) +
                                              " bytes that are tokenised. Cut it into parts.");
}

}  // namespace

Tokenizer::Tokenizer(const llama_vocab * vocab, const std::vector<SpecialToken> & specials)
    : vocab_(vocab), upstream_(vocab), specials_(specials) {
    const bool has_text = llama_vocab_type(vocab_) != LLAMA_VOCAB_TYPE_NONE;
    has_own_words_ = has_text && upstream_.has_r1_words() && !specials_.strips();
    may_recurse_ = has_text && upstream_.may_recurse();
    // With other kinds, the tokens of a text depend on the token before it.
    is_cut_here_ =
        has_text && llama_vocab_type(vocab_) == LLAMA_VOCAB_TYPE_BPE && !specials_.strips();
}

std::vector<llama_token> Tokenizer::tokenize(std::string_view text, bool parse_special) const {
    if (text.empty()) {
        return {};
    }
    if (llama_vocab_type(vocab_) == LLAMA_VOCAB_TYPE_NONE) {
        throw Failure(ErrorCode::InvalidArgument,
                      "This model has no vocabulary, so text cannot be tokenised. Pass token ids.");
    }
    if (text.size() > max_text_bytes) {
        refuse_length(text.size(), max_text_bytes);
    }
    if (is_cut_here_) {
        return by_pieces(text, parse_special);
    }
    const std::size_t specials = specials_.cut(text, parse_special).size();
    if (specials > max_upstream_pieces) {
        throw Failure(ErrorCode::TextTooLong,
                      "The text holds special tokens of this vocabulary in " +
                          std::to_string(specials) + " places, and " +
                          std::to_string(max_upstream_pieces) +
                          " are the most that are tokenised. Cut it into parts.");
    }
    return of_plain_text(text, parse_special);
}

int Tokenizer::longest_token() const {
    const bool is_bpe = llama_vocab_type(vocab_) == LLAMA_VOCAB_TYPE_BPE;
    // Others may omit parts of a text, or write many characters as one unknown token.
    return is_bpe && !specials_.strips() ? upstream_.longest_token() : 0;
}

std::vector<llama_token> Tokenizer::by_pieces(std::string_view text, bool parse_special) const {
    std::vector<llama_token> ids;
    ids.reserve(text.size() / 3 + 8);
    Bpe bpe(upstream_);
    for (const auto & piece : specials_.cut(text, parse_special)) {
        const std::string_view part = text.substr(piece.start, piece.bytes);
        if (piece.id != LLAMA_TOKEN_NULL) {
            ids.push_back(piece.id);
        } else if (has_own_words_) {
            split_r1_words(part, [&](std::string_view word) { bpe.append(word, ids); });
        } else {
            const std::vector<llama_token> more = of_plain_text(part, parse_special);
            ids.insert(ids.end(), more.begin(), more.end());
        }
    }
    return ids;
}

std::vector<llama_token> Tokenizer::of_plain_text(std::string_view text, bool parse_special) const {
    if (!may_recurse_ || text.size() <= shallow_bytes) {
        return by_upstream(text, parse_special);
    }
    if (text.size() > max_recursive_text_bytes) {
        refuse_length(text.size(), max_recursive_text_bytes);
    }
    // One at a time: each may take a gigabyte of address space.
    static std::mutex deep;
    const std::lock_guard<std::mutex> alone(deep);
    std::vector<llama_token> ids;
    run_on_deep_stack(stack_base + text.size() * stack_per_byte,
                      [&] { ids = by_upstream(text, parse_special); });
    return ids;
}

std::vector<llama_token> Tokenizer::by_upstream(std::string_view text, bool parse_special) const {
    const auto length = static_cast<int32_t>(text.size());
    std::vector<llama_token> ids(text.size() / 2 + 16);
    const auto call = [&] {
        return llama_tokenize(vocab_, text.data(), length, ids.data(),
                              static_cast<int32_t>(ids.size()), false, parse_special);
    };
    int32_t count = 0;
    try {
        count = call();
        if (count < 0 && count != std::numeric_limits<int32_t>::min()) {
            ids.resize(static_cast<std::size_t>(-count));
            count = call();
        }
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception & error) {
        throw Failure(ErrorCode::InvalidArgument,
                      std::string("This vocabulary cannot write the text (llama.cpp: ") +
                          error.what() + "). It may lack tokens for single bytes.");
    }
    if (count < 0) {
        throw Failure(ErrorCode::Internal, "llama_tokenize returned " + std::to_string(count) +
                                               " for a buffer of the size it asked for.");
    }
    ids.resize(static_cast<std::size_t>(count));
    return ids;
}

}  // namespace r1

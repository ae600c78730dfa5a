// Bpe: byte-level byte-pair encoding of words. Words repeat in every text, so that each is merged
// once and remembered.
#include "core/text/bpe.h"

#include <algorithm>
#include <array>

#include "core/text/utf8.h"

namespace r1 {
namespace {

/** Maximum length and number of cached words: a text of unusual words must not use much memory. */
constexpr std::size_t longest_known = 64;
constexpr std::size_t max_known = 1u << 16;

/** The printable character that stands for a byte in GPT-2's vocabularies (unicode_byte_to_utf8).
 */
std::array<std::string, 256> byte_characters() {
    std::array<std::string, 256> table;
    std::uint32_t next = 256;
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        const bool is_printable =
            (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
        append_utf8(is_printable ? byte : next++, table[byte]);
    }
    return table;
}

std::uint32_t hash_of(std::string_view word) {
    std::uint32_t hash = 2166136261u;
    for (const char c : word) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    }
    return hash ^ hash >> 15;
}

/** Whether `a` is merged after `b`: by rank, then from the left. */
struct After {
    template <typename P>
    bool operator()(const P & a, const P & b) const {
        return a.rank > b.rank || (a.rank == b.rank && a.left > b.left);
    }
};

}  // namespace

Bpe::Bpe(const UpstreamVocab & vocab)
    : vocab_(vocab), ignores_merges_(vocab.ignores_merges()), slots_(256, 0) {}

void Bpe::append(std::string_view word, std::vector<llama_token> & out) {
    if (word.size() > longest_known) {
        encode(word, out);
        return;
    }
    const std::uint32_t hash = hash_of(word);
    if (find(word, hash, out)) {
        return;
    }
    const std::size_t before = out.size();
    encode(word, out);
    remember(word, hash, out.data() + before, out.size() - before);
}

bool Bpe::find(std::string_view word, std::uint32_t hash, std::vector<llama_token> & out) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at] != 0; at = (at + 1) & mask) {
        const Known & known = known_[slots_[at] - 1];
        if (known.hash == hash &&
            std::string_view(words_).substr(known.word, known.bytes) == word) {
            const auto first = ids_.begin() + known.ids;
            out.insert(out.end(), first, first + known.count);
            return true;
        }
    }
    return false;
}

void Bpe::remember(std::string_view word, std::uint32_t hash, const llama_token * ids,
                   std::size_t count) {
    if (known_.size() >= max_known) {
        return;
    }
    if (2 * (known_.size() + 1) > slots_.size()) {
        grow();
    }
    known_.push_back(
        {static_cast<std::uint32_t>(words_.size()), static_cast<std::uint32_t>(word.size()),
         static_cast<std::uint32_t>(ids_.size()), static_cast<std::uint32_t>(count), hash});
    words_ += word;
    ids_.insert(ids_.end(), ids, ids + count);
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at] != 0) {
        at = (at + 1) & mask;
    }
    slots_[at] = static_cast<std::uint32_t>(known_.size());
}

void Bpe::grow() {
    std::vector<std::uint32_t> wider(slots_.size() * 2, 0);
    const std::size_t mask = wider.size() - 1;
    for (std::size_t i = 0; i < known_.size(); ++i) {
        std::size_t at = known_[i].hash & mask;
        while (wider[at] != 0) {
            at = (at + 1) & mask;
        }
        wider[at] = static_cast<std::uint32_t>(i + 1);
    }
    slots_ = std::move(wider);
}

void Bpe::encode(std::string_view word, std::vector<llama_token> & out) {
    static const std::array<std::string, 256> characters = byte_characters();
    encoded_.clear();
    symbols_.clear();
    for (const char c : word) {
        const std::string & character = characters[static_cast<unsigned char>(c)];
        const auto index = static_cast<std::int32_t>(symbols_.size());
        symbols_.push_back({static_cast<std::uint32_t>(encoded_.size()),
                            static_cast<std::uint32_t>(character.size()), index - 1, index + 1});
        encoded_ += character;
    }
    if (symbols_.empty()) {
        return;
    }
    symbols_.back().after = -1;
    if (ignores_merges_) {
        const llama_token whole = vocab_.token_of(encoded_);
        if (whole != LLAMA_TOKEN_NULL) {
            out.push_back(whole);
            return;
        }
    }
    merge_all();
    std::string text;
    for (const Symbol & symbol : symbols_) {
        if (symbol.bytes > 0) {
            text.assign(encoded_, symbol.start, symbol.bytes);
            append_symbol(text, out);
        }
    }
}

void Bpe::merge_all() {
    pairs_.clear();
    for (std::size_t i = 1; i < symbols_.size(); ++i) {
        offer(static_cast<std::int32_t>(i - 1), static_cast<std::int32_t>(i));
    }
    while (!pairs_.empty()) {
        std::pop_heap(pairs_.begin(), pairs_.end(), After());
        const Pair pair = pairs_.back();
        pairs_.pop_back();
        Symbol & left = symbols_[static_cast<std::size_t>(pair.left)];
        Symbol & right = symbols_[static_cast<std::size_t>(pair.right)];
        // One of them has been merged since: symbols only grow.
        if (left.bytes == 0 || right.bytes == 0 || left.bytes + right.bytes != pair.bytes) {
            continue;
        }
        left.bytes += right.bytes;
        right.bytes = 0;
        left.after = right.after;
        if (right.after >= 0) {
            symbols_[static_cast<std::size_t>(right.after)].before = pair.left;
        }
        offer(left.before, pair.left);
        offer(pair.left, left.after);
    }
}

void Bpe::offer(std::int32_t left, std::int32_t right) {
    if (left < 0 || right < 0) {
        return;
    }
    const Symbol & a = symbols_[static_cast<std::size_t>(left)];
    const Symbol & b = symbols_[static_cast<std::size_t>(right)];
    const int rank =
        vocab_.merge_rank(encoded_.substr(a.start, a.bytes), encoded_.substr(b.start, b.bytes));
    if (rank < 0) {
        return;
    }
    pairs_.push_back({left, right, rank, a.bytes + b.bytes});
    std::push_heap(pairs_.begin(), pairs_.end(), After());
}

void Bpe::append_symbol(const std::string & text, std::vector<llama_token> & out) const {
    const llama_token id = vocab_.token_of(text);
    if (id != LLAMA_TOKEN_NULL) {
        out.push_back(id);
        return;
    }
    for (const char c : text) {
        const llama_token byte = vocab_.token_of(std::string(1, c));
        if (byte != LLAMA_TOKEN_NULL) {
            out.push_back(byte);
        }
    }
}

}  // namespace r1

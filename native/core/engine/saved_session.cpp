// A saved session as bytes, read and checked completely before anything uses it.
#include "core/engine/saved_session.h"

#include <algorithm>
#include <cstring>

#include "core/engine/cell_values.h"
#include "core/failure.h"

namespace r1 {
namespace {

constexpr std::size_t seal_bytes = 32;
constexpr std::size_t piece_bytes = 1 << 20;

std::string unusable(const std::string & what) {
    return "This is no saved session that can be used: " + what + ". Save it again.";
}

[[noreturn]] void refuse(const std::string & what) {
    throw Failure(ErrorCode::StateInvalid, unusable(what));
}

// Reads from front to end, and seals the bytes it returns.
class Front : public CellBytes {
public:
    Front(ByteSource & source, Seal & seal, const std::atomic<bool> & cancelled)
        : source_(source),
          seal_(seal),
          cancelled_(cancelled),
          end_(source.size() - seal_bytes),
          buffer_(piece_bytes) {}

    bool take(void * to, std::size_t count) override {
        if (count > left()) {
            return false;
        }
        auto * into = static_cast<uint8_t *>(to);
        while (count > 0) {
            const std::size_t taken = std::min(count, filled());
            std::memcpy(into, buffer_.data() + used_, taken);
            consume(taken);
            into += taken;
            count -= taken;
        }
        return true;
    }

    bool pass(ggml_type type, uint64_t count) override {
        const std::size_t block = ggml_type_size(type);
        if (count > left() || count % block != 0) {
            return false;
        }
        values_.resize(piece_bytes / block * block);
        while (count > 0) {
            const auto taken = static_cast<std::size_t>(std::min<uint64_t>(count, values_.size()));
            take(values_.data(), taken);
            if (!cell_values_are_sound(type, values_.data(), taken)) {
                return false;
            }
            count -= taken;
        }
        return true;
    }

    uint64_t left() const override { return end_ - position(); }
    uint64_t position() const { return at_ + used_; }

    /** Reads what is left, for the seal. */
    void finish() {
        while (left() > 0) {
            consume(filled());
        }
    }

private:
    // Available bytes, at least one; the end must not be reached.
    std::size_t filled() {
        if (used_ == filled_) {
            if (cancelled_.load(std::memory_order_relaxed)) {
                throw Failure(ErrorCode::Aborted, "Restoring the session was aborted.");
            }
            at_ += used_;
            used_ = 0;
            filled_ = static_cast<std::size_t>(std::min<uint64_t>(piece_bytes, end_ - at_));
            source_.read(at_, buffer_.data(), filled_);
        }
        return filled_ - used_;
    }

    void consume(std::size_t count) {
        seal_.update(buffer_.data() + used_, count);
        used_ += count;
    }

    ByteSource & source_;
    Seal & seal_;
    const std::atomic<bool> & cancelled_;
    uint64_t end_;
    uint64_t at_ = 0;  // of the buffer's first byte
    std::vector<uint8_t> buffer_;
    std::vector<uint8_t> values_;
    std::size_t filled_ = 0;
    std::size_t used_ = 0;
};

// The fault, or an empty text. `front` is the position after the magic.
std::string read_parts(Front & front, const Seal & seal, const CellShape & shape,
                       int32_t vocabulary, SavedSession & session) {
    static const char * const contradiction = "its lengths contradict each other";
    uint32_t head = 0;
    if (!front.take(&head, sizeof head) || head > front.left()) {
        return contradiction;
    }
    if (head > max_head_bytes) {
        return "its messages take " + std::to_string(head) + " bytes, and at most " +
               std::to_string(max_head_bytes) + " are read";
    }
    session.head.resize(head);
    front.take(&session.head[0], head);
    uint32_t tokens = 0;
    if (!front.take(&tokens, sizeof tokens) || tokens > front.left() / sizeof(llama_token)) {
        return contradiction;
    }
    session.tokens.resize(tokens);
    front.take(session.tokens.data(), tokens * sizeof(llama_token));
    const bool known = std::all_of(session.tokens.begin(), session.tokens.end(),
                                   [=](llama_token id) { return id >= 0 && id < vocabulary; });
    if (!known) {
        return "it holds a token that is outside the vocabulary";
    }
    uint64_t cells = 0;
    if (!front.take(&cells, sizeof cells) || cells != front.left() ||
        (cells == 0) != (tokens == 0)) {
        return contradiction;
    }
    session.cells_at = front.position();
    session.until_cells = seal;
    if (cells == 0) {
        return "";
    }
    // Its head may name another model, which others check.
    const char * wrong = shape.rows.empty()
                             ? "are of a kind that this model has not"
                             : read_cell_layout(front, tokens, shape, session.layout);
    if (wrong != nullptr) {
        session.problem = unusable(std::string("its cells ") + wrong);
    }
    return "";
}

}  // namespace

SavedSession read_session(std::shared_ptr<ByteSource> source, const std::vector<uint8_t> & key,
                          const CellShape & shape, int32_t vocabulary,
                          const std::atomic<bool> & cancelled) {
    SavedSession session;
    session.source = std::move(source);
    std::array<uint8_t, session_magic.size() + 1> magic{};
    const uint64_t size = session.source->size();
    session.source->read(0, magic.data(),
                         static_cast<std::size_t>(std::min<uint64_t>(size, magic.size())));
    if (!std::equal(session_magic.begin(), session_magic.end(), magic.begin())) {
        refuse("it does not begin as one");
    }
    if (size < magic.size() + seal_bytes) {
        refuse("it is cut");
    }
    if (magic.back() != session_format) {
        throw Failure(ErrorCode::StateMismatch,
                      "The saved session is of format " + std::to_string(magic.back()) +
                          ", and this version reads format " + std::to_string(session_format) +
                          ". Restore it with the version that saved it.");
    }
    Seal seal(key);
    Front front(*session.source, seal, cancelled);
    front.take(magic.data(), magic.size());
    const std::string wrong = read_parts(front, seal, shape, vocabulary, session);
    front.finish();
    const Digest found = seal.digest();
    session.source->read(size - seal_bytes, session.seal.data(), seal_bytes);
    if (!same_digest(found, session.seal)) {
        refuse(key.empty()
                   ? "it is cut, was altered, or was sealed with a key and this model was "
                     "loaded without `sessionKey`"
                   : "it was not saved with this `sessionKey`, or it is cut or was altered");
    }
    if (!wrong.empty()) {
        refuse(wrong);
    }
    return session;
}

}  // namespace r1

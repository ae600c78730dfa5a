// Saves a session's cells, piece by piece between the engine's steps. Blocks; runs on its own
// thread.
#include <ggml-backend.h>

#include <algorithm>
#include <cstring>

#include "core/engine/cell_io.h"
#include "core/engine/session_job.h"
#include "core/failure.h"

namespace r1 {
namespace {

// At most one copy from a device, so that a visit ends in time.
constexpr std::size_t copy_bytes = 256 << 10;
// Bytes between two checks of the clock, if llama.cpp writes very small pieces.
constexpr uint32_t look_after = 64;

[[noreturn]] void gone() {
    throw Failure(ErrorCode::StateInvalid,
                  "The cache no longer holds these tokens. Save right after the generation has "
                  "ended, or give the model more `contextSize`.");
}

// Receives the bytes that llama.cpp writes for one sequence, in a form for any number of streams.
// Seals and writes them between two visits.
class Saving : public CellWriter {
public:
    Saving(StepGate::Visitor & visitor, const CellHold & hold, const CellShape & shape, Seal & seal,
           ByteSink & sink, std::size_t piece_bytes, const std::atomic<bool> & cancelled)
        : visitor_(visitor),
          hold_(hold),
          shape_(shape),
          seal_(seal),
          sink_(sink),
          cancelled_(cancelled),
          piece_bytes_(piece_bytes),
          gathered_(new uint8_t[piece_bytes]) {
        const int32_t sequence = 0;
        append(&cell_magic, sizeof cell_magic);
        append(&sequence, sizeof sequence);
    }

    void meta(const void * from, std::size_t count) override {
        if (!has_streams_) {
            has_streams_ = true;
            const uint32_t one = 1;
            append(&one, sizeof one);
            return;
        }
        if (!has_cells_) {
            // The streams of other sequences hold none of these cells: a zero is all they write.
            uint32_t cells = 0;
            std::memcpy(&cells, from, std::min(count, sizeof cells));
            if (cells == 0) {
                return;
            }
            if (cells != hold_.tokens) {
                gone();
            }
            has_cells_ = true;
            left_ = shape_.body_bytes(cells);
            append(from, count);
            return;
        }
        if (left_ == 0) {
            return;  // zeros of the streams behind
        }
        spend(count);
        append(from, count);
    }

    void values(ggml_tensor * tensor, std::size_t offset, std::size_t count) override {
        spend(count);
        while (count > 0) {
            const std::size_t taken = std::min({count, copy_bytes, piece_bytes_});
            if (piece_bytes_ - size_ < taken || (++copies_ % look_after == 0 && is_overdue()) ||
                (taken == copy_bytes && is_overdue())) {
                pause();
            }
            ggml_backend_tensor_get(tensor, gathered_.get() + size_, offset, taken);
            size_ += taken;
            offset += taken;
            count -= taken;
        }
    }

    /** After the last visit. */
    void flush() {
        seal_.update(gathered_.get(), size_);
        sink_.write(gathered_.get(), size_);
        size_ = 0;
    }

    bool is_whole() const { return has_cells_ && left_ == 0; }

private:
    bool is_overdue() const { return visitor_.is_overdue(); }

    void spend(std::size_t count) {
        if (count > left_) {
            throw Failure(ErrorCode::Internal, "llama.cpp wrote more than a sequence has.");
        }
        left_ -= count;
    }

    void append(const void * from, std::size_t count) {
        if (piece_bytes_ - size_ < count) {
            pause();
        }
        std::memcpy(gathered_.get() + size_, from, count);
        size_ += count;
    }

    // Lets the engine continue, then enters again. Meanwhile llama.cpp keeps pointers to the
    // sequence's cells, which do not change while they are held.
    void pause() {
        visitor_.leave();
        flush();
        if (cancelled_.load(std::memory_order_relaxed)) {
            throw Failure(ErrorCode::Aborted, "Saving the session was aborted.");
        }
        visitor_.enter();
        if (hold_.is_revoked) {
            gone();
        }
    }

    StepGate::Visitor & visitor_;
    const CellHold & hold_;
    const CellShape & shape_;
    Seal & seal_;
    ByteSink & sink_;
    const std::atomic<bool> & cancelled_;
    std::size_t piece_bytes_;
    std::unique_ptr<uint8_t[]> gathered_;
    std::size_t size_ = 0;
    uint64_t left_ = 0;  // of the body
    uint32_t copies_ = 0;
    bool has_streams_ = false;
    bool has_cells_ = false;
};

}  // namespace

void write_session(StepGate::Visitor & visitor, const CellAccess & access,
                   const std::shared_ptr<CellHold> & hold, const std::vector<uint8_t> & front,
                   const std::vector<uint8_t> & key, ByteSink & sink,
                   const std::atomic<bool> & cancelled) {
    if (hold != nullptr && access.shape.rows.empty()) {
        gone();
    }
    Seal seal(key);
    const uint64_t cells =
        hold == nullptr ? 0 : cell_front_bytes + access.shape.body_bytes(hold->tokens);
    sink.expect(front.size() + sizeof cells + cells + sizeof(Digest));
    const auto write = [&](const void * bytes, std::size_t count) {
        seal.update(bytes, count);
        sink.write(bytes, count);
    };
    write(front.data(), front.size());
    write(&cells, sizeof cells);
    if (hold != nullptr) {
        Saving saving(visitor, *hold, access.shape, seal, sink, access.piece_bytes, cancelled);
        visitor.enter();
        if (hold->is_revoked) {
            gone();
        }
        write_cells(access.memory, hold->sequence, saving);
        visitor.leave();
        if (!saving.is_whole()) {
            gone();
        }
        saving.flush();
    }
    const Digest digest = seal.digest();
    sink.write(digest.data(), digest.size());
}

}  // namespace r1

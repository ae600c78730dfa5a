// Restores a saved session's cells, piece by piece between the engine's steps. Blocks; runs on its
// own thread.
#include <ggml-backend.h>

#include <algorithm>
#include <cstring>
#include <exception>

#include "core/engine/cell_io.h"
#include "core/engine/cell_values.h"
#include "core/engine/session_job.h"
#include "core/failure.h"

namespace r1 {
namespace {

constexpr std::size_t copy_bytes = 256 << 10;
constexpr uint32_t look_after = 64;

[[noreturn]] void changed() {
    throw Failure(ErrorCode::StateInvalid,
                  "The saved session changed while it was restored. Try again.");
}

// The values of a saved session, from the first to the last. Values from a file are checked again,
// because the file may have changed since it was read.
class Values {
public:
    Values(const SavedSession & saved, std::size_t piece_bytes, const std::atomic<bool> & cancelled)
        : saved_(saved),
          cancelled_(cancelled),
          seal_(saved.until_cells),
          at_(saved.cells_at),
          piece_bytes_(piece_bytes),
          buffer_(new uint8_t[piece_bytes]) {
        skip_meta();
    }

    std::size_t at_hand() const { return size_ - used_; }
    const uint8_t * bytes() const { return buffer_.get() + used_; }
    void take(std::size_t count) { used_ += count; }

    /** Reads more when few bytes are buffered. Outside a visit. */
    void fill() {
        if (cancelled_.load(std::memory_order_relaxed)) {
            throw Failure(ErrorCode::Aborted, "Restoring the session was aborted.");
        }
        std::memmove(buffer_.get(), bytes(), at_hand());
        size_ = at_hand();
        used_ = 0;
        while (run_ < saved_.layout.runs.size()) {
            const CellRun & run = saved_.layout.runs[run_];
            const std::size_t block = ggml_type_size(run.type);
            const auto taken = static_cast<std::size_t>(
                std::min<uint64_t>(run.bytes - in_run_, (piece_bytes_ - size_) / block * block));
            if (taken == 0) {
                return;
            }
            read(run, taken);
        }
    }

    /** Whether the file is unchanged. Outside a visit, at the end. */
    bool is_same() {
        if (!saved_.source->is_shared()) {
            return true;
        }
        return run_ == saved_.layout.runs.size() && same_digest(seal_.digest(), saved_.seal);
    }

private:
    void read(const CellRun & run, std::size_t count) {
        uint8_t * to = buffer_.get() + size_;
        saved_.source->read(at_, to, count);
        if (saved_.source->is_shared()) {
            seal_.update(to, count);
            if (!cell_values_are_sound(run.type, to, count)) {
                changed();
            }
        }
        at_ += count;
        size_ += count;
        in_run_ += count;
        if (in_run_ == run.bytes) {
            in_run_ = 0;
            ++run_;
            skip_meta();
        }
    }

    // What stands between two runs is known already.
    void skip_meta() {
        const std::size_t until = run_ < saved_.layout.runs.size()
                                      ? saved_.layout.runs[run_].meta_before
                                      : saved_.layout.meta.size();
        seal_.update(saved_.layout.meta.data() + meta_, until - meta_);
        at_ += until - meta_;
        meta_ = until;
    }

    const SavedSession & saved_;
    const std::atomic<bool> & cancelled_;
    Seal seal_;
    uint64_t at_;
    std::size_t piece_bytes_;
    std::unique_ptr<uint8_t[]> buffer_;
    std::size_t size_ = 0;
    std::size_t used_ = 0;
    std::size_t run_ = 0;
    uint64_t in_run_ = 0;
    std::size_t meta_ = 0;
};

// Gives llama.cpp what it reads for one sequence.
class Restoring : public CellReader {
public:
    Restoring(StepGate::Visitor & visitor, const CellHold & hold, const CellLayout & layout,
              uint32_t streams, Values & values)
        : visitor_(visitor), hold_(hold), layout_(layout), streams_(streams), values_(values) {}

    void meta(void * to, std::size_t count) override {
        std::memset(to, 0, count);  // the streams of other sequences are empty
        if (!has_streams_) {
            has_streams_ = true;
            std::memcpy(to, &streams_, std::min(count, sizeof streams_));
        } else if (at_ < layout_.meta.size()) {
            const std::size_t taken = std::min(count, layout_.meta.size() - at_);
            std::memcpy(to, layout_.meta.data() + at_, taken);
            at_ += taken;
        }
    }

    // Throws nothing: if reading failed, llama.cpp would empty the sequence, which another request
    // may use by now. Reading is completed instead, and nothing more is written.
    void values(ggml_tensor * tensor, std::size_t offset, std::size_t count) override {
        while (count > 0 && !is_over()) {
            const std::size_t wanted = std::min({count, copy_bytes, values_.at_hand()});
            if (wanted == 0 || (++copies_ % look_after == 0 && is_overdue()) ||
                (wanted == copy_bytes && is_overdue())) {
                pause();
                continue;
            }
            ggml_backend_tensor_set(tensor, values_.bytes(), offset, wanted);
            values_.take(wanted);
            offset += wanted;
            count -= wanted;
        }
        if (count > 0 && ++copies_ % look_after == 0 && is_overdue()) {
            pause();
        }
    }

    /** Throws the error that ended the copying, if any. */
    void check() const {
        if (failure_ != nullptr) {
            std::rethrow_exception(failure_);
        }
    }

private:
    bool is_overdue() const { return visitor_.is_overdue(); }
    bool is_over() const { return failure_ != nullptr || hold_.is_revoked; }

    void pause() {
        try {
            visitor_.leave();
            if (!is_failed_) {
                const std::size_t before = values_.at_hand();
                values_.fill();
                if (before == 0 && values_.at_hand() == 0) {
                    changed();  // llama.cpp asks for more than there is
                }
            }
        } catch (...) {
            failure_ = std::current_exception();
            is_failed_ = true;
        }
        try {
            visitor_.enter();
        } catch (...) {
            // The engine ends, and waits for this thread.
            failure_ = std::current_exception();
            is_failed_ = true;
        }
    }

    StepGate::Visitor & visitor_;
    const CellHold & hold_;
    const CellLayout & layout_;
    uint32_t streams_;
    Values & values_;
    std::size_t at_ = cell_head_bytes + sizeof(uint32_t);  // behind the number of streams
    uint32_t copies_ = 0;
    bool has_streams_ = false;
    bool is_failed_ = false;
    std::exception_ptr failure_;
};

[[noreturn]] void no_room() {
    throw Failure(ErrorCode::ContextFull,
                  "The cache has no room for the saved session while others run. Try again when "
                  "one has ended.");
}

}  // namespace

void restore_cells(StepGate::Visitor & visitor, const CellAccess & access,
                   const SavedSession & saved, uint64_t session,
                   const std::atomic<bool> & cancelled) {
    Values values(saved, access.piece_bytes, cancelled);
    values.fill();
    visitor.enter();
    const std::shared_ptr<CellHold> hold = access.scheduler.hold_for(saved.tokens, session);
    try {
        Restoring restoring(visitor, *hold, saved.layout, access.streams, values);
        read_cells(access.memory, hold->sequence, restoring);
        visitor.leave();
        restoring.check();
        if (!values.is_same()) {
            changed();
        }
        visitor.enter();
    } catch (...) {
        visitor.enter();
        access.scheduler.release(hold, false);
        throw;
    }
    if (hold->is_revoked) {
        no_room();
    }
    const llama_pos first = llama_memory_seq_pos_min(access.memory, hold->sequence);
    const llama_pos last = llama_memory_seq_pos_max(access.memory, hold->sequence);
    const bool is_good = first == 0 && last + 1 == static_cast<llama_pos>(saved.tokens.size());
    hold->is_filling = false;
    access.scheduler.release(hold, is_good);
    if (!is_good) {
        throw Failure(ErrorCode::StateInvalid, "llama.cpp could not read the saved cells.");
    }
}

}  // namespace r1

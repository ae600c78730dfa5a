// Byte sinks and sources: an open file or memory. Blocks; not on the engine thread.
#include "core/files/byte_store.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/failure.h"
#include "core/platform/open_file.h"

namespace r1 {
namespace {

// Maximum bytes of one call, below the 2 GiB limit of every system.
constexpr std::size_t max_io_bytes = std::size_t{1} << 30;

bool is_full_disk(int error) {
#ifdef EDQUOT
    if (error == EDQUOT) {
        return true;
    }
#endif
    return error == ENOSPC || error == EFBIG;
}

[[noreturn]] void fail(const char * doing, int error) {
    throw Failure(
        is_full_disk(error) ? ErrorCode::NoSpace : ErrorCode::IoFailed,
        std::string("The saved session could not be ") + doing + ": " + std::strerror(error) + ".");
}

}  // namespace

void FileSink::expect(uint64_t) {
    at_ = 0;
    if (const int error = open_file::empty(file_); error != 0) {
        fail("written", error);
    }
}

void FileSink::write(const void * bytes, std::size_t count) {
    const auto * from = static_cast<const uint8_t *>(bytes);
    while (count > 0) {
        const auto [done, error] =
            open_file::write_at(file_, from, std::min(count, max_io_bytes), at_);
        if (done == 0) {
            fail("written", error);
        }
        from += done;
        at_ += done;
        count -= done;
    }
}

void MemorySink::expect(uint64_t total) {
    at_ = 0;
    bytes_ = std::make_unique<LargeBytes>(static_cast<std::size_t>(total));
}

void MemorySink::write(const void * bytes, std::size_t count) {
    if (bytes_ == nullptr || count > bytes_->size() - at_) {
        throw Failure(ErrorCode::Internal, "A saved session grew while it was written.");
    }
    if (count > 0) {
        std::memcpy(bytes_->data() + at_, bytes, count);
    }
    at_ += count;
}

FileSource::FileSource(int file) : file_(file), size_(0) {
    const auto [bytes, error] = open_file::size_of(file);
    if (error != 0) {
        fail("read", error);
    }
    if (bytes < 0) {
        throw Failure(ErrorCode::IoFailed, "The saved session is no ordinary file.");
    }
    size_ = static_cast<uint64_t>(bytes);
}

void FileSource::read(uint64_t at, void * to, std::size_t count) {
    auto * into = static_cast<uint8_t *>(to);
    while (count > 0) {
        const auto [done, error] =
            open_file::read_at(file_, into, std::min(count, max_io_bytes), at);
        if (error != 0) {
            fail("read", error);
        }
        if (done == 0) {
            throw Failure(ErrorCode::StateInvalid,
                          "The saved session became shorter while it was read.");
        }
        into += done;
        at += done;
        count -= done;
    }
}

void MemorySource::read(uint64_t at, void * to, std::size_t count) {
    if (at > size() || count > size() - at) {
        throw Failure(ErrorCode::Internal, "A saved session was read behind its end.");
    }
    if (count > 0) {
        std::memcpy(to, bytes_->data() + at, count);
    }
}

}  // namespace r1

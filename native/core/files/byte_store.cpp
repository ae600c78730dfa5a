// Byte sinks and sources: an open file or memory. Blocks; not on the engine thread.
#include "core/files/byte_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/failure.h"

namespace r1 {
namespace {

// Maximum bytes of one call, below the 2 GiB limit of every system.
constexpr std::size_t max_io_bytes = std::size_t{1} << 30;

[[noreturn]] void fail(const char * doing) {
    const int error = errno;
    const bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    throw Failure(
        is_full ? ErrorCode::NoSpace : ErrorCode::IoFailed,
        std::string("The saved session could not be ") + doing + ": " + std::strerror(error) + ".");
}

}  // namespace

void FileSink::expect(uint64_t) {
    at_ = 0;
    if (ftruncate(file_, 0) != 0) {
        fail("written");
    }
}

void FileSink::write(const void * bytes, std::size_t count) {
    const auto * from = static_cast<const uint8_t *>(bytes);
    while (count > 0) {
        const ssize_t done =
            pwrite(file_, from, std::min(count, max_io_bytes), static_cast<off_t>(at_));
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            fail("written");
        }
        from += done;
        at_ += static_cast<uint64_t>(done);
        count -= static_cast<std::size_t>(done);
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
    struct stat facts = {};
    if (fstat(file, &facts) != 0) {
        fail("read");
    }
    if (!S_ISREG(facts.st_mode)) {
        throw Failure(ErrorCode::IoFailed, "The saved session is no ordinary file.");
    }
    size_ = static_cast<uint64_t>(facts.st_size);
}

void FileSource::read(uint64_t at, void * to, std::size_t count) {
    auto * into = static_cast<uint8_t *>(to);
    while (count > 0) {
        const ssize_t done =
            pread(file_, into, std::min(count, max_io_bytes), static_cast<off_t>(at));
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            fail("read");
        }
        if (done == 0) {
            throw Failure(ErrorCode::StateInvalid,
                          "The saved session became shorter while it was read.");
        }
        into += done;
        at += static_cast<uint64_t>(done);
        count -= static_cast<std::size_t>(done);
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

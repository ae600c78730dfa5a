// Byte sinks and sources, sequential or by offset: an open file or memory. Blocks; not on the
// engine thread. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/files/large_bytes.h"

namespace r1 {

/** Takes bytes in order. */
class ByteSink {
public:
    virtual ~ByteSink() = default;
    /** Once, before the first byte: how many will come. */
    virtual void expect(uint64_t total) = 0;
    /** Throws Failure: NoSpace, IoFailed. */
    virtual void write(const void * bytes, std::size_t count) = 0;
};

/** Writes to a file that the caller opened and closes; its old content is discarded. */
class FileSink : public ByteSink {
public:
    explicit FileSink(int file) : file_(file) {}
    void expect(uint64_t total) override;
    void write(const void * bytes, std::size_t count) override;

private:
    int file_;
    uint64_t at_ = 0;
};

/** Into one block of memory. */
class MemorySink : public ByteSink {
public:
    /** Throws std::bad_alloc. */
    void expect(uint64_t total) override;
    void write(const void * bytes, std::size_t count) override;
    std::unique_ptr<LargeBytes> take() { return std::move(bytes_); }
    std::size_t size() const { return at_; }

private:
    std::unique_ptr<LargeBytes> bytes_;
    std::size_t at_ = 0;
};

/** Gives bytes of any place. */
class ByteSource {
public:
    virtual ~ByteSource() = default;
    virtual uint64_t size() const = 0;
    /** Reads exactly this many bytes, or throws Failure(IoFailed), also at a premature end. */
    virtual void read(uint64_t at, void * to, std::size_t count) = 0;
    /** Whether others could change the bytes meanwhile. */
    virtual bool is_shared() const = 0;
};

/** A file that somebody else opened, and closes. */
class FileSource : public ByteSource {
public:
    /** Throws Failure(IoFailed) if it is not a regular file. */
    explicit FileSource(int file);
    uint64_t size() const override { return size_; }
    void read(uint64_t at, void * to, std::size_t count) override;
    bool is_shared() const override { return true; }

private:
    int file_;
    uint64_t size_;
};

/** Memory of its own, which nobody changes. */
class MemorySource : public ByteSource {
public:
    explicit MemorySource(std::shared_ptr<const LargeBytes> bytes) : bytes_(std::move(bytes)) {}
    uint64_t size() const override { return bytes_->size(); }
    void read(uint64_t at, void * to, std::size_t count) override;
    bool is_shared() const override { return false; }

private:
    std::shared_ptr<const LargeBytes> bytes_;
};

}  // namespace r1

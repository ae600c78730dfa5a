// FileLock: a kernel lock on a file, which ends with its process however the process ends. Any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace r1 {

/**
 * An exclusive, advisory lock. It belongs to this open of the file: another one, in this process
 * too, does not get it. Owns the open file; a child process does not inherit it.
 */
class FileLock {
public:
    /** What came of an attempt. */
    enum class State { Held, Busy, Unsupported };

    /**
     * Tries to lock a file that exists, and never waits. Busy: another one holds the lock.
     * Unsupported: the file system has no locks.
     *
     * Throws Failure: IoFailed when the file cannot be opened for writing.
     */
    static std::pair<State, FileLock> take(const std::string & path);

    FileLock() = default;
    FileLock(FileLock && other) noexcept : file_(std::exchange(other.file_, NONE)) {}
    FileLock & operator=(FileLock && other) noexcept {
        std::swap(file_, other.file_);
        return *this;
    }
    FileLock(const FileLock &) = delete;
    FileLock & operator=(const FileLock &) = delete;
    ~FileLock() { release(); }

    /** Frees the lock and closes the file. Idempotent. */
    void release();

private:
    /** No open file: -1 is neither a descriptor nor a handle. */
    static constexpr std::intptr_t NONE = -1;

    explicit FileLock(std::intptr_t file) : file_(file) {}

    std::intptr_t file_ = NONE;
};

}  // namespace r1

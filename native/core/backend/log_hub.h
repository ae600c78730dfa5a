// LogHub: the only receiver of llama.cpp's process-wide log. Passes complete lines to any number of
// sinks. Lines may come from any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace r1 {

enum class LogLevel { Debug, Info, Warn, Error };

struct LogEntry {
    LogLevel level;
    std::string text;
};

namespace log_hub {

using Sink = std::function<void(const LogEntry &)>;

/** Makes the hub the receiver of libllama's and ggml's log. Call once, before any other thread uses
 * them. */
void install();

/**
 * Adds a sink and returns its key. The sink is called on the logging thread, under a lock; it must
 * be quick and must not log.
 */
int add_sink(Sink sink);

/** Removes a sink. When this returns, no thread is running the sink. */
void remove_sink(int key);

/**
 * Collects the errors and warnings that this thread logs during its lifetime, for the message of a
 * failed call.
 */
class ThreadCapture {
public:
    ThreadCapture();
    ~ThreadCapture();
    ThreadCapture(const ThreadCapture &) = delete;
    ThreadCapture & operator=(const ThreadCapture &) = delete;

    /** The last error lines joined by "; "; empty if there were none. */
    std::string errors() const;

    /** All lines of every level. */
    const std::vector<LogEntry> & lines() const { return lines_; }

    void add(const LogEntry & entry) { lines_.push_back(entry); }

private:
    std::vector<LogEntry> lines_;
    ThreadCapture * outer_;
};

}  // namespace log_hub
}  // namespace r1

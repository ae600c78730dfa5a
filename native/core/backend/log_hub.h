// LogHub: the one receiver of llama.cpp's process-wide log; hands whole lines to any number of
// sinks. Lines come from any thread.
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

/** Adds a sink; it is called on the logging thread, under a lock, must be quick and must not log.
 * Returns its key. */
int add_sink(Sink sink);

/** Removes a sink; when it returns, the sink is running on no thread. */
void remove_sink(int key);

/** Collects the errors and warnings that this thread logs while it lives, for the message of a
 * failed call. */
class ThreadCapture {
public:
    ThreadCapture();
    ~ThreadCapture();
    ThreadCapture(const ThreadCapture &) = delete;
    ThreadCapture & operator=(const ThreadCapture &) = delete;

    /** The last error lines joined by "; "; empty if there were none. */
    std::string errors() const;

    /** All lines, whatever their level. */
    const std::vector<LogEntry> & lines() const { return lines_; }

    void add(const LogEntry & entry) { lines_.push_back(entry); }

private:
    std::vector<LogEntry> lines_;
    ThreadCapture * outer_;
};

}  // namespace log_hub
}  // namespace r1

// LogHub: the only receiver of llama.cpp's process-wide log. Passes complete lines to any number of
// sinks. Lines may come from any thread.
#include "core/backend/log_hub.h"

#include <llama.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace r1::log_hub {
namespace {

struct State {
    std::mutex mutex;
    std::map<int, Sink> sinks;
    int next_key = 1;
};

// Never destroyed: worker threads may still log while the process exits.
State & state() {
    static State * instance = new State();
    return *instance;
}

thread_local ThreadCapture * current_capture = nullptr;

LogLevel level_of(ggml_log_level level) {
    switch (level) {
        case GGML_LOG_LEVEL_ERROR: return LogLevel::Error;
        case GGML_LOG_LEVEL_WARN: return LogLevel::Warn;
        case GGML_LOG_LEVEL_INFO: return LogLevel::Info;
        default: return LogLevel::Debug;
    }
}

void deliver(const LogEntry & entry) {
    if (current_capture != nullptr) {
        current_capture->add(entry);
    }
    State & hub = state();
    std::lock_guard<std::mutex> lock(hub.mutex);
    for (auto & [key, sink] : hub.sinks) {
        sink(entry);
    }
}

// Trivial, so that it can be read until the thread is gone.
thread_local bool has_thread_ended = false;

struct Pending {
    LogEntry entry{LogLevel::Debug, {}};
    Pending() = default;
    Pending(const Pending &) = delete;
    Pending & operator=(const Pending &) = delete;
    ~Pending() { has_thread_ended = true; }
};

// llama.cpp logs pieces: a line ends with its line break, and a CONT piece continues the previous
// line.
void on_log(ggml_log_level level, const char * text, void *) {
    if (has_thread_ended) {
        return;  // a driver's shutdown may log after this thread's objects are destroyed
    }
    thread_local Pending holder;
    LogEntry & pending = holder.entry;
    try {
        if (level != GGML_LOG_LEVEL_CONT) {
            if (!pending.text.empty()) {
                deliver(pending);
                pending.text.clear();
            }
            pending.level = level_of(level);
        }
        for (const char * c = text; *c != '\0'; ++c) {
            if (*c != '\n') {
                pending.text.push_back(*c);
                continue;
            }
            if (!pending.text.empty()) {
                deliver(pending);
                pending.text.clear();
            }
        }
    } catch (...) {
        // Out of memory: drop the line. The callback must not throw into C code.
        pending.text.clear();
    }
}

}  // namespace

void install() { llama_log_set(on_log, nullptr); }

int add_sink(Sink sink) {
    State & hub = state();
    std::lock_guard<std::mutex> lock(hub.mutex);
    const int key = hub.next_key++;
    hub.sinks.emplace(key, std::move(sink));
    return key;
}

void remove_sink(int key) {
    State & hub = state();
    std::lock_guard<std::mutex> lock(hub.mutex);
    hub.sinks.erase(key);
}

ThreadCapture::ThreadCapture() : outer_(current_capture) { current_capture = this; }

ThreadCapture::~ThreadCapture() { current_capture = outer_; }

std::string ThreadCapture::errors() const {
    constexpr std::size_t most = 4;
    std::vector<const std::string *> found;
    for (const LogEntry & entry : lines_) {
        if (entry.level == LogLevel::Error) {
            found.push_back(&entry.text);
        }
    }
    std::string joined;
    for (std::size_t i = found.size() - std::min(most, found.size()); i < found.size(); ++i) {
        joined += (joined.empty() ? "" : "; ") + *found[i];
    }
    return joined;
}

}  // namespace r1::log_hub

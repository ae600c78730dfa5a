// Reaper: one thread of the process that frees objects which must not be freed on a JavaScript
// thread. It is started before any of them exists, so closing works even if the system allows no
// more threads.
#include "napi/reaper.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

#include "core/failure.h"
#include "napi/shutdown.h"

namespace r1::reaper {
namespace {

struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> queue;
    bool is_running = false;  // the thread is there
    bool is_busy = false;     // it has taken work out of the queue
};

// Never destroyed: the thread waits on it while the process exits.
State & state() {
    static State * instance = new State();
    return *instance;
}

void run() {
    State & own = state();
    for (;;) {
        std::function<void()> work;
        {
            std::unique_lock<std::mutex> lock(own.mutex);
            own.changed.wait(lock, [&] { return !own.queue.empty(); });
            work = std::move(own.queue.front());
            own.queue.pop_front();
            own.is_busy = true;
        }
        work();
        work = nullptr;  // what it holds is destroyed before the process may end
        {
            std::lock_guard<std::mutex> lock(own.mutex);
            own.is_busy = false;
        }
        own.changed.notify_all();
    }
}

bool wait_until_idle(std::chrono::steady_clock::time_point deadline) {
    State & own = state();
    std::unique_lock<std::mutex> lock(own.mutex);
    return own.changed.wait_until(lock, deadline,
                                  [&] { return own.queue.empty() && !own.is_busy; });
}

}  // namespace

void ensure() {
    State & own = state();
    std::lock_guard<std::mutex> lock(own.mutex);
    if (own.is_running) {
        return;
    }
    try {
        std::thread(run).detach();
    } catch (const std::system_error &) {
        throw no_thread_left();
    }
    own.is_running = true;
    new ProcessHook([] {}, wait_until_idle);  // for the rest of the process
}

void post(std::function<void()> work) noexcept {
    State & own = state();
    try {
        std::unique_lock<std::mutex> lock(own.mutex);
        if (own.is_running) {
            own.queue.push_back(work);
            work = nullptr;
            lock.unlock();
            own.changed.notify_all();
            return;
        }
    } catch (...) {
        // No memory for a queue entry: do the work here.
    }
    work();
}

}  // namespace r1::reaper

// ThreadSupply: checks whether the system allows more threads, before code that ends the process
// when it gets none (libgomp, ggml's own pool). Any thread.
#include "core/platform/thread_supply.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "core/failure.h"

namespace r1::thread_supply {
namespace {

std::atomic<std::size_t> test_limit{SIZE_MAX};

}  // namespace

std::size_t available(std::size_t count) {
    std::mutex mutex;
    std::condition_variable open;
    bool may_end = false;
    std::vector<std::thread> threads;
    threads.reserve(count);
    try {
        while (threads.size() < std::min(count, test_limit.load())) {
            // All of them must exist at the same time.
            threads.emplace_back([&] {
                std::unique_lock<std::mutex> lock(mutex);
                open.wait(lock, [&] { return may_end; });
            });
        }
    } catch (const std::system_error &) {
        // The count so far is the answer.
    }
    {
        std::lock_guard<std::mutex> lock(mutex);
        may_end = true;
    }
    open.notify_all();
    for (std::thread & thread : threads) {
        thread.join();
    }
    return threads.size();
}

void require(std::size_t count, const std::string & purpose) {
    if (count > 0 && available(count) < count) {
        throw Failure(ErrorCode::ResourceExhausted,
                      "The system gives no thread " + purpose +
                          ". End other work, raise the limit of processes and threads (ulimit -u, "
                          "pids of the container) or of address space, or load the model with "
                          "fewer `threads`.");
    }
}

void limit_for_tests(std::size_t count) { test_limit.store(count); }

}  // namespace r1::thread_supply

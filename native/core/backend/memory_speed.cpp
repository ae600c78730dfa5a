// memory_speed: measures how fast all cores together read system memory, which bounds the decoding
// speed of a model there. Blocks the calling thread.
#include "core/backend/memory_speed.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace r1 {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Size of all blocks together for any number of threads, and the minimum of one: more than a core's
// share of a cache.
constexpr std::size_t all_blocks = std::size_t{512} << 20;
constexpr std::size_t smallest_block = std::size_t{8} << 20;
constexpr std::size_t largest_block = std::size_t{128} << 20;

// Several sums, so that no addition waits for the one before it.
uint64_t sum_of(const std::vector<uint64_t> & block) {
    constexpr std::size_t lanes = 8;
    uint64_t sums[lanes] = {};
    for (std::size_t i = 0; i + lanes <= block.size(); i += lanes) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            sums[lane] += block[i + lane];
        }
    }
    uint64_t total = 0;
    for (const uint64_t sum : sums) {
        total += sum;
    }
    return total;
}

}  // namespace

double memory_read_speed(uint32_t threads, std::chrono::milliseconds time) {
    const std::size_t bytes = std::clamp(all_blocks / threads, smallest_block, largest_block);
    // Filled here, so that running out of memory is an exception of this thread.
    std::vector<std::vector<uint64_t>> blocks(threads,
                                              std::vector<uint64_t>(bytes / sizeof(uint64_t), 1));
    std::atomic<uint64_t> rounds{0};
    std::atomic<uint64_t> witness{0};  // keeps the compiler from removing the sums
    const SteadyClock::time_point start = SteadyClock::now();
    std::vector<std::thread> readers;
    for (const std::vector<uint64_t> & block : blocks) {
        try {
            readers.emplace_back([&rounds, &witness, &block, start, time] {
                do {
                    witness += sum_of(block);
                    ++rounds;
                } while (SteadyClock::now() - start < time);
            });
        } catch (const std::system_error &) {
            break;  // no more threads available: the running ones report what they read
        }
    }
    for (std::thread & reader : readers) {
        reader.join();
    }
    const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
    return static_cast<double>(rounds.load()) * static_cast<double>(bytes) / seconds;
}

}  // namespace r1

// Claims about memory_read_speed: a rate that memory can have, within the time it was given, for
// any number of threads.
#include "core/backend/memory_speed.h"

#include "test/check.h"

namespace {

using namespace r1;

R1_TEST(
    "memory speed: one thread or many, it is a rate that memory can have and comes in good time") {
    for (const uint32_t threads : {1u, 3u, 64u}) {
        const auto start = std::chrono::steady_clock::now();
        const double speed = memory_read_speed(threads, std::chrono::milliseconds(20));
        CHECK(speed > 1e8 && speed < 1e13);
        CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
    }
}

}  // namespace

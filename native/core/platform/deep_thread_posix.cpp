// Runs a function on a POSIX thread with a stack of a given size. Any thread.
#include "core/platform/deep_thread.h"

#include <pthread.h>

#include <memory>

namespace r1 {
namespace {

struct Task {
    void (*work)(void *);
    void * data;
};

void * run(void * task) {
    const auto & [work, data] = *static_cast<Task *>(task);
    work(data);
    return nullptr;
}

struct DestroyAttributes {
    void operator()(pthread_attr_t * attributes) const { pthread_attr_destroy(attributes); }
};

}  // namespace

bool run_deep_thread(std::size_t stack_bytes, void (*work)(void *), void * data) {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    const std::unique_ptr<pthread_attr_t, DestroyAttributes> owner(&attributes);
    Task task{work, data};
    pthread_t thread{};
    if (pthread_attr_setstacksize(&attributes, stack_bytes) != 0 ||
        pthread_create(&thread, &attributes, run, &task) != 0) {
        return false;
    }
    pthread_join(thread, nullptr);
    return true;
}

}  // namespace r1

// Runs work on a thread with a sufficiently large stack.
#include "core/text/deep_stack.h"

#include <pthread.h>

#include <exception>
#include <memory>
#include <string>

#include "core/failure.h"

namespace r1 {
namespace {

struct Task {
    const std::function<void()> & work;
    std::exception_ptr thrown;
};

void * run(void * data) {
    Task & task = *static_cast<Task *>(data);
    try {
        task.work();
    } catch (...) {
        task.thrown = std::current_exception();
    }
    return nullptr;
}

struct DestroyAttributes {
    void operator()(pthread_attr_t * attributes) const { pthread_attr_destroy(attributes); }
};

}  // namespace

void run_on_deep_stack(std::size_t bytes, const std::function<void()> & work) {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) {
        throw Failure(ErrorCode::ResourceExhausted, "No thread could be prepared.");
    }
    const std::unique_ptr<pthread_attr_t, DestroyAttributes> owner(&attributes);
    Task task{work, nullptr};
    pthread_t thread{};
    if (pthread_attr_setstacksize(&attributes, bytes) != 0 ||
        pthread_create(&thread, &attributes, run, &task) != 0) {
        throw Failure(ErrorCode::ResourceExhausted,
                      "A thread with a stack of " + std::to_string(bytes >> 20) +
                          " MiB could not be started, which this vocabulary needs for a text of "
                          "this length. Raise the limits of threads and address space (ulimit -u, "
                          "ulimit -v), or cut the text into parts.");
    }
    pthread_join(thread, nullptr);
    if (task.thrown) {
        std::rethrow_exception(task.thrown);
    }
}

}  // namespace r1

// Runs work on a thread with a sufficiently large stack.
#include "core/text/deep_stack.h"

#include <exception>
#include <string>

#include "core/failure.h"
#include "core/platform/deep_thread.h"

namespace r1 {
namespace {

struct Task {
    const std::function<void()> & work;
    std::exception_ptr thrown;
};

void run(void * data) {
    Task & task = *static_cast<Task *>(data);
    try {
        task.work();
    } catch (...) {
        task.thrown = std::current_exception();
    }
}

}  // namespace

void run_on_deep_stack(std::size_t bytes, const std::function<void()> & work) {
    Task task{work, nullptr};
    if (!run_deep_thread(bytes, run, &task)) {
        throw Failure(ErrorCode::ResourceExhausted,
                      "A thread with a stack of " + std::to_string(bytes >> 20) +
                          " MiB could not be started, which this vocabulary needs for a text of "
                          "this length. Raise the limits of threads and address space (ulimit -u, "
                          "ulimit -v), or cut the text into parts.");
    }
    if (task.thrown) {
        std::rethrow_exception(task.thrown);
    }
}

}  // namespace r1

// ThreadPools: ggml's worker threads for one context. Created, used and freed on the engine thread,
// which becomes their worker 0.
#include "core/backend/thread_pools.h"

#include <ggml-backend.h>
#include <llama.h>

#include <algorithm>
#include <thread>

#include "core/backend/backend.h"
#include "core/failure.h"
#include "core/platform/thread_priority.h"
#include "core/platform/thread_supply.h"

namespace r1 {
namespace {

// In a build with loadable backends the pool functions live in the CPU backend's library, so they
// are looked up by name in every build.
template <typename Function>
Function cpu_function(const char * name) {
    const auto registry = backend::read_registry();
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    void * found = cpu == nullptr
                       ? nullptr
                       : ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), name);
    if (found == nullptr) {
        throw Failure(ErrorCode::Internal,
                      std::string("The CPU backend has no function ") + name + ".");
    }
    return reinterpret_cast<Function>(found);
}

ggml_sched_priority priority_of(const std::string & name) {
    if (name == "normal") return GGML_SCHED_PRIO_NORMAL;
    if (name == "medium") return GGML_SCHED_PRIO_MEDIUM;
    if (name == "high") return GGML_SCHED_PRIO_HIGH;
    if (name == "realtime") return GGML_SCHED_PRIO_REALTIME;
    throw Failure(ErrorCode::InvalidArgument,
                  "`priority` is normal, medium, high or realtime, not " + name + ".");
}

}  // namespace

ThreadPools::ThreadPools(int32_t threads, int32_t threads_batch, const std::string & priority,
                         uint32_t poll)
    : priority_(priority), threads_(threads), threads_batch_(threads_batch) {
    ggml_sched_priority level = priority_of(priority);
    const auto cores = static_cast<int32_t>(std::thread::hardware_concurrency());
    // ggml prints one line to stderr for each thread it may not raise, so this thread, their worker
    // 0, asks first. With OpenMP and one thread, ggml raises no thread, so this call alone counts.
    // The other workers are raised by ggml, or inherit the priority.
    if (level != GGML_SCHED_PRIO_NORMAL &&
        (std::max(threads, threads_batch) >= cores || !raise_this_thread(level))) {
        level = GGML_SCHED_PRIO_NORMAL;
        priority_ = "normal";
    }
    const auto make =
        cpu_function<ggml_threadpool_t (*)(ggml_threadpool_params *)>("ggml_threadpool_new");
    const auto start = [&](int32_t count) {
        // Without OpenMP ggml asserts that each thread starts; with it, libgomp does at the first
        // decode.
        thread_supply::require(static_cast<std::size_t>(count - 1),
                               "for a pool of " + std::to_string(count) + " worker threads");
        ggml_threadpool_params params = ggml_threadpool_params_default(count);
        params.prio = level;
        params.poll = poll;
        ggml_threadpool_t pool = make(&params);
        if (pool == nullptr) {
            throw Failure(ErrorCode::Internal,
                          "ggml could not start " + std::to_string(count) + " worker threads.");
        }
        return pool;
    };
    try {
        decode_ = start(threads);
        if (threads_batch != threads) {
            batch_ = start(threads_batch);
        }
    } catch (...) {
        free_pools();
        throw;
    }
}

ThreadPools::~ThreadPools() { free_pools(); }

void ThreadPools::free_pools() noexcept {
    try {
        const auto stop = cpu_function<void (*)(ggml_threadpool_t)>("ggml_threadpool_free");
        if (batch_ != nullptr) {
            stop(batch_);
        }
        if (decode_ != nullptr) {
            stop(decode_);
        }
    } catch (...) {
        // The constructor found these functions, so they are there.
    }
}

void ThreadPools::prepare(llama_context * context, int32_t tokens) {
    const int32_t wanted = tokens > 1 ? threads_batch_ : threads_;
    int32_t given = wanted;
    // libgomp ends the threads that a smaller team does not need, and starts them again for a
    // larger one.
    if (wanted > team_) {
        given = team_ + static_cast<int32_t>(
                            thread_supply::available(static_cast<std::size_t>(wanted - team_)));
    }
    is_limited_ = is_limited_ || given < wanted;
    if (is_limited_) {
        llama_set_n_threads(context, std::min(threads_, given), std::min(threads_batch_, given));
    }
    team_ = given;
}

void ThreadPools::attach(llama_context * context) const {
    llama_attach_threadpool(context, decode_, batch_);
}

}  // namespace r1

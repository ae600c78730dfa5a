// ThreadPools: ggml's worker threads for one context. Created, used and freed on the engine thread,
// which becomes their worker 0.
#pragma once

#include <ggml.h>

#include <cstdint>
#include <string>

struct llama_context;

namespace r1 {

class ThreadPools {
public:
    /**
     * Starts the pools. `priority` is normal, medium, high or realtime; it falls back to normal if
     * the system refuses it or if the workers would occupy every core (a real-time worker on each
     * core starves the JavaScript thread). Throws Failure(ResourceExhausted) if the system allows
     * fewer threads.
     */
    ThreadPools(int32_t threads, int32_t threads_batch, const std::string & priority,
                uint32_t poll);
    ~ThreadPools();
    ThreadPools(const ThreadPools &) = delete;
    ThreadPools & operator=(const ThreadPools &) = delete;

    /**
     * Call before each decode of `tokens` tokens. If OpenMP would have to start more threads than
     * the system allows, the decode uses fewer: libgomp ends the process when it gets none.
     */
    void prepare(llama_context * context, int32_t tokens);

    /** Gives the pools to a context, which must be freed (or detached) before them. */
    void attach(llama_context * context) const;

    /** The priority the workers have. */
    const std::string & priority() const { return priority_; }

private:
    void free_pools() noexcept;

    std::string priority_;
    int32_t threads_;
    int32_t threads_batch_;
    int32_t team_ = 1;         // threads that OpenMP keeps for this thread, itself included
    bool is_limited_ = false;  // a decode had fewer threads

    ggml_threadpool_t decode_ = nullptr;
    ggml_threadpool_t batch_ = nullptr;  // nullptr: the same as decode_
};

}  // namespace r1

// What must end before JavaScript or the process does: hooks of one environment, and of the whole
// process.
#include "napi/shutdown.h"

#include <cstdlib>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace r1 {
namespace {

struct ProcessHooks {
    std::mutex mutex;
    std::map<int, std::function<void()>> hooks;
    int next_key = 1;
    int registrations = 0;
    bool ending = false;
};

// Never destroyed: it is used while static objects are being destroyed.
ProcessHooks & process_hooks() {
    static ProcessHooks * instance = new ProcessHooks();
    return *instance;
}

}  // namespace

EnvironmentHook::EnvironmentHook(napi_env env, std::function<void()> run)
    : env_(env), run_(std::move(run)) {
    napi_add_env_cleanup_hook(env_, &EnvironmentHook::call, this);
}

EnvironmentHook::~EnvironmentHook() {
    if (armed_) {
        napi_remove_env_cleanup_hook(env_, &EnvironmentHook::call, this);
    }
}

void EnvironmentHook::call(void * data) {
    auto * hook = static_cast<EnvironmentHook *>(data);
    hook->armed_ = false;
    hook->run_();
}

ProcessHook::ProcessHook(std::function<void()> run) {
    ProcessHooks & all = process_hooks();
    std::lock_guard<std::mutex> lock(all.mutex);
    key_ = all.next_key++;
    all.hooks.emplace(key_, std::move(run));
}

ProcessHook::~ProcessHook() {
    ProcessHooks & all = process_hooks();
    std::lock_guard<std::mutex> lock(all.mutex);
    all.hooks.erase(key_);
}

void ProcessHook::run_all() {
    std::vector<std::function<void()>> hooks;
    {
        ProcessHooks & all = process_hooks();
        std::lock_guard<std::mutex> lock(all.mutex);
        all.ending = true;
        for (auto & [key, hook] : all.hooks) {
            hooks.push_back(hook);
        }
    }
    for (const std::function<void()> & hook : hooks) {
        hook();
    }
}

bool ProcessHook::is_ending() {
    ProcessHooks & all = process_hooks();
    std::lock_guard<std::mutex> lock(all.mutex);
    return all.ending;
}

void ProcessHook::run_before_what_exists_now() {
    constexpr int enough =
        8;  // the C library promises 32 places; a few registrations cover every library's first use
    ProcessHooks & all = process_hooks();
    std::lock_guard<std::mutex> lock(all.mutex);
    if (all.registrations < enough) {
        ++all.registrations;
        std::atexit(&ProcessHook::run_all);
    }
}

void run_aside(std::function<void()> work) {
    auto done = std::make_shared<std::promise<void>>();
    auto hook =
        std::make_shared<ProcessHook>([finished = done->get_future().share()] { finished.wait(); });
    std::thread([work = std::move(work), done, hook = std::move(hook)]() mutable {
        work();
        work = nullptr;  // what it holds is destroyed before the process may end
        done->set_value();
    }).detach();
}

}  // namespace r1

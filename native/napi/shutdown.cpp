// Shutdown hooks of one environment and of the whole process, for work that must end before
// JavaScript or the process does.
#include "napi/shutdown.h"

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/platform/library.h"
#include "core/platform/process.h"

namespace r1 {
namespace {

struct Entry {
    std::function<void()> ask;
    std::function<bool(ProcessHook::Deadline)> wait;
};

struct ProcessHooks {
    std::mutex mutex;
    std::map<int, Entry> hooks;
    int next_key = 1;
    int registrations = 0;
    bool ending = false;
    int exit_code = 0;
    std::optional<ProcessHook::Deadline> deadline;
};

// Never destroyed: it is used while static objects are being destroyed.
ProcessHooks & process_hooks() {
    static ProcessHooks * instance = new ProcessHooks();
    return *instance;
}

// Returns whether all has ended.
bool end_all() {
    std::vector<Entry> entries;
    ProcessHook::Deadline deadline;
    {
        ProcessHooks & all = process_hooks();
        std::lock_guard<std::mutex> lock(all.mutex);
        all.ending = true;
        if (!all.deadline) {
            all.deadline = std::chrono::steady_clock::now() + longest_end;
        }
        deadline = *all.deadline;
        for (auto & [key, entry] : all.hooks) {
            entries.push_back(entry);
        }
    }
    for (const Entry & entry : entries) {
        entry.ask();
    }
    bool ended = true;
    for (const Entry & entry : entries) {
        ended = entry.wait(deadline) && ended;
    }
    return ended;
}

// The C library calls it before the exit functions of what was constructed before.
void at_exit() {
    // A thread that no longer exists never answers, and may have held a lock.
    if (!process::runs_exit_functions_alone() && !end_all()) {
        // A thread that cannot be ended would go on while static objects are destroyed.
        process::end_now(process_hooks().exit_code);
    }
}

}  // namespace

void keep_code_loaded() {
    static const char inside = 0;
    library::keep(&inside);
}

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

ProcessHook::ProcessHook(std::function<void()> ask, std::function<bool(Deadline)> wait) {
    ProcessHooks & all = process_hooks();
    std::lock_guard<std::mutex> lock(all.mutex);
    key_ = all.next_key++;
    all.hooks.emplace(key_, Entry{std::move(ask), std::move(wait)});
}

ProcessHook::~ProcessHook() {
    ProcessHooks & all = process_hooks();
    std::lock_guard<std::mutex> lock(all.mutex);
    all.hooks.erase(key_);
}

void ProcessHook::run_all(int exit_code) {
    {
        ProcessHooks & all = process_hooks();
        std::lock_guard<std::mutex> lock(all.mutex);
        all.exit_code = exit_code;
    }
    end_all();
}

bool ProcessHook::is_ending() {
    ProcessHooks & all = process_hooks();
    std::lock_guard<std::mutex> lock(all.mutex);
    return all.ending;
}

void ProcessHook::run_before_existing_hooks() {
    constexpr int enough =
        8;  // the C library promises 32 places; a few registrations cover every library's first use
    ProcessHooks & all = process_hooks();
    std::lock_guard<std::mutex> lock(all.mutex);
    if (all.registrations < enough) {
        ++all.registrations;
        std::atexit(&at_exit);
    }
}

}  // namespace r1

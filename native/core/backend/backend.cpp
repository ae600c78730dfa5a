// Backend: process-wide start of libllama, its devices and its backend libraries. Any thread;
// initialize() first.
#include "core/backend/backend.h"

#include <llama.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>

#include "core/backend/backend_library.h"
#include "core/backend/log_hub.h"
#include "core/failure.h"
#include "core/platform/process.h"

namespace r1::backend {
namespace {

std::shared_mutex registry_mutex;

const std::atomic<bool> never{false};

// Replaces ggml's own handler, which starts a debugger on the process and can hang it. The
// environment variable that turns it off would also be passed to the host's children.
void print_abort(const char * message) { std::fprintf(stderr, "%s\n", message); }

/**
 * Sets the variables that ggml and libgomp read once, while they are loaded, then restores the old
 * values: the environment belongs to the host and its children.
 */
class StartEnvironment {
public:
    StartEnvironment() {
        // docs/decisions/openmp.md
        if (std::getenv("OMP_WAIT_POLICY") == nullptr) {
            set("GOMP_SPINCOUNT", "100000");
        }
        set("GGML_NO_BACKTRACE", "1");
        set("KMP_BLOCKTIME", "200");  // else ggml sets it and leaves it set
    }
    ~StartEnvironment() {
        for (const char * name : added_) {
            process::remove_variable(name);
        }
    }
    StartEnvironment(const StartEnvironment &) = delete;
    StartEnvironment & operator=(const StartEnvironment &) = delete;

private:
    void set(const char * name, const char * value) {
        if (process::add_variable(name, value)) {
            added_.push_back(name);
        }
    }

    std::vector<const char *> added_;
};

#ifdef R1_BACKEND_DL
// A library named by the environment, loaded only if the user asks for it.
const char * wanted_backend_path() {
    const char * keep = std::getenv("R1_KEEP_BACKEND_PATH");
    return keep != nullptr && std::string(keep) == "1" ? std::getenv("GGML_BACKEND_PATH") : nullptr;
}
#endif

const char * type_name(enum ggml_backend_dev_type type) {
    switch (type) {
        case GGML_BACKEND_DEVICE_TYPE_CPU: return "cpu";
        case GGML_BACKEND_DEVICE_TYPE_GPU: return "gpu";
        case GGML_BACKEND_DEVICE_TYPE_IGPU: return "igpu";
        case GGML_BACKEND_DEVICE_TYPE_ACCEL: return "accel";
        default: return "other";
    }
}

ggml_numa_strategy numa_strategy(const std::string & name) {
    static const std::map<std::string, ggml_numa_strategy> strategies = {
        {"disabled", GGML_NUMA_STRATEGY_DISABLED},
        {"distribute", GGML_NUMA_STRATEGY_DISTRIBUTE},
        {"isolate", GGML_NUMA_STRATEGY_ISOLATE},
        {"numactl", GGML_NUMA_STRATEGY_NUMACTL},
    };
    const auto found = strategies.find(name);
    if (found == strategies.end()) {
        throw Failure(ErrorCode::InvalidArgument,
                      "`numa` is disabled, distribute, isolate or numactl, not " + name + ".");
    }
    return found->second;
}

std::string device_names() {
    std::string names;
    for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
        names += (names.empty() ? "" : ", ") +
                 std::string(ggml_backend_dev_name(ggml_backend_dev_get(i)));
    }
    return names;
}

void require_cpu(const std::string & backend_dir) {
    if (ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU) == nullptr) {
        throw Failure(ErrorCode::Internal, "No CPU backend could be loaded from " + backend_dir +
                                               ". Build again with `npm run build:native`.");
    }
}

}  // namespace

std::shared_lock<std::shared_mutex> read_registry() {
    return std::shared_lock<std::shared_mutex>(registry_mutex);
}

std::unique_lock<std::shared_mutex> try_write_registry() {
    return std::unique_lock<std::shared_mutex>(registry_mutex, std::try_to_lock);
}

// A queue of writers would also make new readers wait, and one of them may be the JavaScript
// thread.
std::unique_lock<std::shared_mutex> write_registry(const std::atomic<bool> & cancelled) {
    constexpr std::chrono::milliseconds pause{5};
    for (;;) {
        std::unique_lock<std::shared_mutex> lock = try_write_registry();
        if (lock.owns_lock() || cancelled.load()) {
            return lock;
        }
        std::this_thread::sleep_for(pause);
    }
}

void initialize(const std::string & backend_dir, const std::string & numa) {
    static std::once_flag once;
    const ggml_numa_strategy strategy = numa_strategy(numa);
    std::call_once(once, [&] {
        const auto lock = write_registry(never);
        log_hub::install();
        ggml_set_abort_callback(print_abort);
        const StartEnvironment environment;
#ifdef R1_BACKEND_DL
        // Only libraries beside the addon: if the registry were empty, libllama itself would search
        // node's own folder and the working directory.
        load_best(backend_dir, "rpc");
        load_best(backend_dir, "cpu");
        if (const char * other = wanted_backend_path()) {
            ggml_backend_load(other);
        }
#endif
        require_cpu(backend_dir);
        llama_backend_init();
        if (strategy != GGML_NUMA_STRATEGY_DISABLED) {
            llama_numa_init(strategy);  // aborts without a CPU backend
        }
    });
}

std::vector<Device> devices() {
    static std::mutex known_mutex;
    static std::vector<Device> * known = new std::vector<Device>();
    const std::shared_lock<std::shared_mutex> lock(registry_mutex, std::try_to_lock);
    if (!lock.owns_lock()) {
        const std::lock_guard<std::mutex> guard(known_mutex);
        return *known;  // a load is a reader too: only a starting driver holds the registry
                        // exclusively
    }
    std::vector<Device> result;
    for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
        ggml_backend_dev_t dev = ggml_backend_dev_get(i);
        Device device{ggml_backend_dev_name(dev), ggml_backend_dev_description(dev),
                      type_name(ggml_backend_dev_type(dev)), 0, 0};
        ggml_backend_dev_memory(dev, &device.free_bytes, &device.total_bytes);
        result.push_back(std::move(device));
    }
    const std::lock_guard<std::mutex> guard(known_mutex);
    *known = result;
    return result;
}

std::vector<std::string> names() {
    static std::mutex known_mutex;
    static std::vector<std::string> * known = new std::vector<std::string>();
    const std::shared_lock<std::shared_mutex> lock(registry_mutex, std::try_to_lock);
    const std::lock_guard<std::mutex> guard(known_mutex);
    if (lock.owns_lock()) {
        known->clear();
        for (std::size_t i = 0; i < ggml_backend_reg_count(); ++i) {
            known->emplace_back(ggml_backend_reg_name(ggml_backend_reg_get(i)));
        }
    }
    return *known;
}

ggml_backend_dev_t device_by_name(const std::string & name) {
    const auto lock = read_registry();
    ggml_backend_dev_t dev = ggml_backend_dev_by_name(name.c_str());
    if (dev == nullptr) {
        throw Failure(ErrorCode::InvalidArgument,
                      "There is no device `" + name + "`. Devices here: " + device_names() + ".");
    }
    return dev;
}

ggml_backend_buffer_type_t buffer_type_by_name(const std::string & name) {
    const auto lock = read_registry();
    for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
        ggml_backend_dev_t dev = ggml_backend_dev_get(i);
        ggml_backend_buffer_type_t type = ggml_backend_dev_buffer_type(dev);
        if (type != nullptr &&
            (name == ggml_backend_dev_name(dev) || name == ggml_backend_buft_name(type))) {
            return type;
        }
    }
    throw Failure(ErrorCode::InvalidArgument,
                  "There is no buffer type `" + name +
                      "` for a tensor override. Devices here: " + device_names() + ".");
}

bool has_cpu_buffer_type(const std::string & name) {
    const auto lock = read_registry();
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (cpu == nullptr) {
        return false;
    }
    void * address = ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu),
                                                       "ggml_backend_dev_get_extra_bufts");
    if (address == nullptr) {
        return false;
    }
    ggml_backend_buffer_type_t * types =
        reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(address)(cpu);
    for (; types != nullptr && *types != nullptr; ++types) {
        if (name == ggml_backend_buft_name(*types)) {
            return true;
        }
    }
    return false;
}

ggml_type type_by_name(const std::string & name) {
    for (int i = 0; i < GGML_TYPE_COUNT; ++i) {
        const ggml_type type = static_cast<ggml_type>(i);
        const char * type_name_text = ggml_type_name(type);
        if (type_name_text != nullptr && ggml_blck_size(type) > 0 && name == type_name_text) {
            return type;
        }
    }
    throw Failure(ErrorCode::InvalidArgument, "`" + name + "` is not a ggml type.");
}

}  // namespace r1::backend

// Rpc: both ends of llama.cpp's RPC backend: uses devices of other machines, and lends this
// machine's devices. Runs on separate threads: both ends wait on sockets.
#include "core/backend/rpc.h"

#include <ggml-rpc.h>

#include "core/backend/backend.h"
#include "core/failure.h"

namespace r1::rpc {
namespace {

const std::atomic<bool> never{false};

// By name, since the backend may be a library that was loaded at run time.
template <typename Function>
Function * rpc_function(const char * name) {
    ggml_backend_reg_t reg = ggml_backend_reg_by_name("RPC");
    void * address = reg == nullptr ? nullptr : ggml_backend_reg_get_proc_address(reg, name);
    if (address == nullptr) {
        throw Failure(ErrorCode::Internal,
                      "This build has no RPC backend (libggml-rpc beside the addon). Build again "
                      "with `npm run build:native`.");
    }
    return reinterpret_cast<Function *>(address);
}

// Like upstream's server: devices that compute faster than the CPU, or else the CPU.
std::vector<ggml_backend_dev_t> default_devices() {
    std::vector<ggml_backend_dev_t> found;
    for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
        ggml_backend_dev_t dev = ggml_backend_dev_get(i);
        const enum ggml_backend_dev_type type = ggml_backend_dev_type(dev);
        if (type != GGML_BACKEND_DEVICE_TYPE_CPU && type != GGML_BACKEND_DEVICE_TYPE_ACCEL) {
            found.push_back(dev);
        }
    }
    if (found.empty()) {
        if (ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
            cpu != nullptr) {
            found.push_back(cpu);
        }
    }
    return found;
}

}  // namespace

void connect(const std::vector<std::string> & endpoints) {
    const auto lock = backend::write_registry(never);
    const auto add_server =
        rpc_function<decltype(ggml_backend_rpc_add_server)>("ggml_backend_rpc_add_server");
    for (const std::string & endpoint : endpoints) {
        ggml_backend_reg_t reg = add_server(endpoint.c_str());
        if (reg == nullptr) {
            throw Failure(ErrorCode::RpcInvalid,
                          "The rpc-server at " + endpoint +
                              " offers no devices. Start it with a device that it has.");
        }
        ggml_backend_register(reg);
    }
}

void serve(const ServerConfig & config) {
    std::vector<ggml_backend_dev_t> devices;
    for (const std::string & name : config.devices) {
        devices.push_back(backend::device_by_name(name));
    }
    decltype(ggml_backend_rpc_start_server) * start = nullptr;
    {
        const auto lock = backend::read_registry();
        start =
            rpc_function<decltype(ggml_backend_rpc_start_server)>("ggml_backend_rpc_start_server");
        if (devices.empty()) {
            devices = default_devices();
        }
    }
    const std::string endpoint = config.host + ":" + std::to_string(config.port);
    start(endpoint.c_str(), config.cache_dir.empty() ? nullptr : config.cache_dir.c_str(),
          config.threads, devices.size(), devices.data());
    throw Failure(ErrorCode::RpcServerFailed,
                  "llama.cpp's RPC server on " + endpoint +
                      " ended. Is the port free, and the address one of this machine?");
}

}  // namespace r1::rpc

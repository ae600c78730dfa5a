// Backend: process-wide start of libllama, its devices and its backend libraries. Any thread; initialize() first.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include <ggml-backend.h>

namespace r1::backend {

struct Device {
    std::string name;
    std::string description;
    std::string type;
    std::size_t free_bytes;
    std::size_t total_bytes;
};

/**
 * Starts libllama once a process: takes over its log, loads the backend libraries beside the addon, sets NUMA placement.
 * Later calls do nothing. `numa` is disabled, distribute, isolate or numactl.
 */
void initialize(const std::string & backend_dir, const std::string & numa);

/** Loads one backend library; false (with a log line) if it cannot be. */
bool load(const std::string & path);

/** What ggml knows of devices now. May ask a driver. */
std::vector<Device> devices();

/** Holds ggml's registry, which takes no lock of its own, for as long as the lock lives. None of these functions may be called meanwhile. */
std::unique_lock<std::mutex> lock_registry();

/** The device of that name. Throws InvalidArgument, naming those there are. */
ggml_backend_dev_t device_by_name(const std::string & name);

/** The buffer type a tensor override means: "CPU" is system memory, else a device's or a buffer type's name. Throws InvalidArgument. */
ggml_backend_buffer_type_t buffer_type_by_name(const std::string & name);

/** A ggml type by llama.cpp's own name ("q4_0"). Throws InvalidArgument. */
ggml_type type_by_name(const std::string & name);

}  // namespace r1::backend

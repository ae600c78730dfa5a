// Backend: process-wide start of libllama, its devices and its backend libraries. Any thread;
// initialize() first.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <shared_mutex>
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
 * Starts libllama once a process: takes over its log, loads the CPU and RPC backends beside the
 * addon where they are not linked in, sets NUMA placement. Later calls do nothing. `numa` is
 * disabled, distribute, isolate or numactl. Throws Internal when there is no CPU backend.
 */
void initialize(const std::string & backend_dir, const std::string & numa);

/**
 * ggml's registry takes no lock of its own. A reader of it, or of what reads it inside llama.cpp
 * (loading a model, making a context), holds the first; a writer holds the second. A load holds the
 * first for as long as it takes: minutes. Neither is taken twice on one thread.
 */
std::shared_lock<std::shared_mutex> read_registry();

/** Waits for the readers without holding up new ones. Not locked: `cancelled` was set. */
std::unique_lock<std::shared_mutex> write_registry(const std::atomic<bool> & cancelled);

/** Never waits. Not locked: a model is being loaded, or another thread writes. */
std::unique_lock<std::shared_mutex> try_write_registry();

/** What ggml knows of devices now. May ask a driver; never waits for a load: while a driver starts
 * on another thread it is what was known before. */
std::vector<Device> devices();

/** Names of the backends in ggml's registry. Never waits either. */
std::vector<std::string> names();

/** The device of that name. Throws InvalidArgument, naming those there are. */
ggml_backend_dev_t device_by_name(const std::string & name);

/** The buffer type a tensor override means: "CPU" is system memory, else a device's or a buffer
 * type's name. Throws InvalidArgument. */
ggml_backend_buffer_type_t buffer_type_by_name(const std::string & name);

/** Whether the CPU backend offers this layout for weights beside the plain one: AMX, CPU_REPACK. */
bool has_cpu_buffer_type(const std::string & name);

/** A ggml type by llama.cpp's own name ("q4_0"). Throws InvalidArgument. */
ggml_type type_by_name(const std::string & name);

}  // namespace r1::backend

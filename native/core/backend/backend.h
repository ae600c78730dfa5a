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
 * ggml's registry has no lock of its own. A thread that reads it, or calls llama.cpp code that does
 * (loading a model, making a context), holds the first; a writer holds the second. A load holds the
 * first until it ends: minutes. A thread must not take either of them twice.
 */
std::shared_lock<std::shared_mutex> read_registry();

/** Waits for the readers without blocking new ones. Not locked: `cancelled` was set. */
std::unique_lock<std::shared_mutex> write_registry(const std::atomic<bool> & cancelled);

/** Never waits. Not locked: a model is being loaded, or another thread writes. */
std::unique_lock<std::shared_mutex> try_write_registry();

/**
 * The devices that ggml knows now. May ask a driver. Never waits for a load: while a driver starts
 * on another thread, returns the devices known before.
 */
std::vector<Device> devices();

/** Names of the backends in ggml's registry. Never waits for a load. */
std::vector<std::string> names();

/** The device of that name. Throws InvalidArgument, which lists the existing devices. */
ggml_backend_dev_t device_by_name(const std::string & name);

/**
 * The buffer type that a tensor override names: "CPU" is system memory, else the name of a device
 * or a buffer type. Throws InvalidArgument.
 */
ggml_backend_buffer_type_t buffer_type_by_name(const std::string & name);

/**
 * Whether the CPU backend offers this layout for weights in addition to the plain one: AMX,
 * CPU_REPACK.
 */
bool has_cpu_buffer_type(const std::string & name);

/** A ggml type by llama.cpp's own name ("q4_0"). Throws InvalidArgument. */
ggml_type type_by_name(const std::string & name);

}  // namespace r1::backend

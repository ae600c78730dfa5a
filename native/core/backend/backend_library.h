// BackendLibrary: loads a ggml backend library (libggml-vulkan.so, ...) into this process, or tries
// one in a child process. Any thread.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

namespace r1::backend {

/** The result of loading a library. */
struct LibraryResult {
    std::string reason;                // why it is not loaded; empty: it is
    std::string backend;               // ggml's name of it, e.g. Vulkan; empty if it is not loaded
    std::vector<std::string> devices;  // names of the devices it brought
};

/**
 * Loads a library, once for each path and process; a later call returns the result of the first.
 * Does nothing if a backend of that name (ggml's) is already loaded. Waits while a model is being
 * loaded or a context made, because llama.cpp then reads ggml's list of devices; throws
 * Failure(Aborted) if `cancelled` is set meanwhile.
 */
LibraryResult load_library(const std::string & path, const std::string & backend,
                           const std::atomic<bool> & cancelled);

/** The same without waiting; returns nothing if it would have to wait. */
std::optional<LibraryResult> load_library_now(const std::string & path,
                                              const std::string & backend);

/**
 * Starts the GPUs of linked-in backends at the first call. Two models that load at the same time
 * must not both do it. May throw exceptions of a driver's wrapper.
 */
void start_linked_devices();

/**
 * Loads a library of unknown origin, starts each of its devices and multiplies two small matrices
 * on it. Only in a child process made for this: a damaged file, another version of ggml or a broken
 * driver may end the process, or leave it in any state.
 */
LibraryResult try_library(const std::string & path);

/**
 * Loads the `libggml-NAME*.so` in a folder that suits this CPU best, by the score that each library
 * reports. False when none can be loaded.
 */
bool load_best(const std::string & folder, const std::string & name);

}  // namespace r1::backend

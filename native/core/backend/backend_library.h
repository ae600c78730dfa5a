// BackendLibrary: loading one ggml backend library (libggml-vulkan.so, ...) into this process, and
// trying one out in a process made for that. Any thread.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

namespace r1::backend {

/** What came of a library. */
struct LibraryResult {
    std::string reason;                // why it is not loaded; empty: it is
    std::string backend;               // ggml's name of it, e.g. Vulkan; empty if it is not loaded
    std::vector<std::string> devices;  // names of the devices it brought
};

/**
 * Loads a library; once a path and process, a later call gets what came of the first. Does nothing
 * where a backend of that name (ggml's) is there. Waits while a model is being loaded or a context
 * made, for llama.cpp reads ggml's list of devices then; throws Failure(Aborted) if `cancelled` is
 * set meanwhile.
 */
LibraryResult load_library(const std::string & path, const std::string & backend,
                           const std::atomic<bool> & cancelled);

/** The same without waiting; nothing where it would have to wait. */
std::optional<LibraryResult> load_library_now(const std::string & path,
                                              const std::string & backend);

/** Starts the GPUs of linked-in backends, at the first call. Two models that load side by side must
 * not both do it. May throw what a driver's wrapper throws.
 */
void start_linked_devices();

/**
 * Loads a library of unknown making, starts each of its devices and lets it multiply two small
 * matrices. Only for a process made for it: a damaged file, another version of ggml or a broken
 * driver may end the process, or leave it in any state.
 */
LibraryResult try_library(const std::string & path);

/** Loads the best of `libggml-NAME*.so` in a folder for this CPU, by the score that each gives
 * itself. False when none can be loaded. */
bool load_best(const std::string & folder, const std::string & name);

}  // namespace r1::backend

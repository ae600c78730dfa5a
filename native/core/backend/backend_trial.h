// BackendTrial: checks a backend library that loads: its version of ggml, its devices and their
// results. Only in a child process made for this.
#pragma once

#include <cstddef>
#include <string>

#include <ggml-backend.h>

namespace r1::backend::trial {

/**
 * Number of files named libggml-base that are loaded into this process. A second one has its own
 * registry and types.
 */
std::size_t copies_of_ggml();

/**
 * Compares with the libggml-base beside the library, which the library was built with. Empty: the
 * same version, or there is none.
 */
std::string version_problem(const std::string & path);

/** Starts a device and multiplies two small matrices on it. Empty: the product is right. */
std::string device_problem(ggml_backend_dev_t device);

}  // namespace r1::backend::trial

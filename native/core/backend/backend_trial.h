// BackendTrial: what can be wrong with a backend library that loads: its version of ggml, its
// devices, what they compute. Only in a process made for it.
#pragma once

#include <cstddef>
#include <string>

#include <ggml-backend.h>

namespace r1::backend::trial {

/** How many files named libggml-base are loaded into this process. A second one has a registry and
 * types of its own. */
std::size_t copies_of_ggml();

/** Compares with the libggml-base that lies beside the library, which is the one it was built with;
 * empty: the same version, or none lies there. */
std::string version_problem(const std::string & path);

/** Starts a device and lets it multiply two small matrices; empty: the product is right. */
std::string device_problem(ggml_backend_dev_t device);

}  // namespace r1::backend::trial

// MetadataOverride: one GGUF metadata value that replaces the file's. Any thread.
#pragma once

#include <llama.h>

#include <cstdint>
#include <string>
#include <variant>

namespace r1 {

/** Strings and the key have at most 127 bytes: llama.cpp's fields have a fixed size. */
struct MetadataOverride {
    std::string key;
    std::variant<int64_t, double, bool, std::string> value;
};

/**
 * Converts it to llama.cpp's form. Throws Failure(InvalidArgument) for a key or text that does not
 * fit.
 */
llama_model_kv_override to_llama(const MetadataOverride & entry);

}  // namespace r1

// MetadataOverride: one GGUF metadata value to set over the file's. Any thread.
#pragma once

#include <llama.h>

#include <cstdint>
#include <string>
#include <variant>

namespace r1 {

/** Strings hold at most 127 bytes, as does the key: llama.cpp's fixed fields. */
struct MetadataOverride {
    std::string key;
    std::variant<int64_t, double, bool, std::string> value;
};

/** The same as llama.cpp takes it. Throws Failure(InvalidArgument) on a key or text that does not
 * fit. */
llama_model_kv_override to_llama(const MetadataOverride & entry);

}  // namespace r1

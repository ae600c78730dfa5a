// MetadataOverride: one GGUF metadata value that replaces the file's. Any thread.
#include "core/backend/metadata_override.h"

#include <cstring>

#include "core/failure.h"

namespace r1 {

llama_model_kv_override to_llama(const MetadataOverride & entry) {
    llama_model_kv_override made{};
    if (entry.key.empty() || entry.key.size() >= sizeof(made.key)) {
        throw Failure(ErrorCode::InvalidArgument,
                      "A metadata key has 1 to 127 bytes: `" + entry.key + "`.");
    }
    std::memcpy(made.key, entry.key.c_str(), entry.key.size() + 1);
    if (const auto * integer = std::get_if<int64_t>(&entry.value)) {
        made.tag = LLAMA_KV_OVERRIDE_TYPE_INT;
        made.val_i64 = *integer;
    } else if (const auto * real = std::get_if<double>(&entry.value)) {
        made.tag = LLAMA_KV_OVERRIDE_TYPE_FLOAT;
        made.val_f64 = *real;
    } else if (const auto * flag = std::get_if<bool>(&entry.value)) {
        made.tag = LLAMA_KV_OVERRIDE_TYPE_BOOL;
        made.val_bool = *flag;
    } else {
        const std::string & text = std::get<std::string>(entry.value);
        if (text.size() >= sizeof(made.val_str)) {
            throw Failure(ErrorCode::InvalidArgument,
                          "The metadata override of `" + entry.key + "` has more than 127 bytes.");
        }
        made.tag = LLAMA_KV_OVERRIDE_TYPE_STR;
        std::memcpy(made.val_str, text.c_str(), text.size() + 1);
    }
    return made;
}

}  // namespace r1

// Quantize: calls llama_model_quantize and owns everything its parameters point to. Runs on its own
// thread, best in a child process: bad input can abort inside llama.cpp.
#pragma once

#include <string>
#include <vector>

#include "core/backend/model.h"

namespace r1 {

struct TensorType {
    std::string pattern;  // std::regex over tensor names; the first match wins
    std::string type;     // a ggml type
};

struct ImportanceEntry {
    std::string name;
    std::vector<float> values;
};

struct QuantizeConfig {
    std::string input;
    std::string output;
    std::string type;  // an llama_ftype by name, e.g. Q4_K_M
    int32_t threads = 0;
    std::string output_tensor_type;
    std::string token_embedding_type;
    bool allow_requantize = false;
    bool quantize_output_tensor = true;
    bool only_copy = false;
    bool pure = false;
    bool keep_split = false;
    bool dry_run = false;
    std::vector<TensorType> tensor_types;
    std::vector<ImportanceEntry> imatrix;
    std::vector<MetadataOverride> metadata_overrides;
};

/** Blocks until done. Throws Failure: InvalidArgument, QuantizeFailed with llama.cpp's own words.
 */
void quantize(const QuantizeConfig & config);

/** Bytes of a row of `elements` values, or -1 if the type's blocks do not divide it. Throws
 * Failure(InvalidArgument) on an unknown type. */
int64_t row_bytes(const std::string & type, int64_t elements);

}  // namespace r1

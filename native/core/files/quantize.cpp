// Quantize: calls llama_model_quantize and owns everything its parameters point to. Runs on its own
// thread, best in a child process: bad input can abort inside llama.cpp.
#include "core/files/quantize.h"

#include <map>
#include <regex>

#include "core/backend/backend.h"
#include "core/backend/log_hub.h"
#include "core/backend/metadata_override.h"
#include "core/failure.h"

namespace r1 {
namespace {

// The names of llama-quantize (tools/quantize/quantize.cpp).
const std::map<std::string, llama_ftype> & file_types() {
    static const std::map<std::string, llama_ftype> types = {
        {"F32", LLAMA_FTYPE_ALL_F32},          {"F16", LLAMA_FTYPE_MOSTLY_F16},
        {"BF16", LLAMA_FTYPE_MOSTLY_BF16},     {"Q1_0", LLAMA_FTYPE_MOSTLY_Q1_0},
        {"Q2_0", LLAMA_FTYPE_MOSTLY_Q2_0},     {"Q4_0", LLAMA_FTYPE_MOSTLY_Q4_0},
        {"Q4_1", LLAMA_FTYPE_MOSTLY_Q4_1},     {"Q5_0", LLAMA_FTYPE_MOSTLY_Q5_0},
        {"Q5_1", LLAMA_FTYPE_MOSTLY_Q5_1},     {"Q8_0", LLAMA_FTYPE_MOSTLY_Q8_0},
        {"Q2_K", LLAMA_FTYPE_MOSTLY_Q2_K},     {"Q2_K_S", LLAMA_FTYPE_MOSTLY_Q2_K_S},
        {"Q3_K", LLAMA_FTYPE_MOSTLY_Q3_K_M},   {"Q3_K_S", LLAMA_FTYPE_MOSTLY_Q3_K_S},
        {"Q3_K_M", LLAMA_FTYPE_MOSTLY_Q3_K_M}, {"Q3_K_L", LLAMA_FTYPE_MOSTLY_Q3_K_L},
        {"Q4_K", LLAMA_FTYPE_MOSTLY_Q4_K_M},   {"Q4_K_S", LLAMA_FTYPE_MOSTLY_Q4_K_S},
        {"Q4_K_M", LLAMA_FTYPE_MOSTLY_Q4_K_M}, {"Q5_K", LLAMA_FTYPE_MOSTLY_Q5_K_M},
        {"Q5_K_S", LLAMA_FTYPE_MOSTLY_Q5_K_S}, {"Q5_K_M", LLAMA_FTYPE_MOSTLY_Q5_K_M},
        {"Q6_K", LLAMA_FTYPE_MOSTLY_Q6_K},     {"IQ1_S", LLAMA_FTYPE_MOSTLY_IQ1_S},
        {"IQ1_M", LLAMA_FTYPE_MOSTLY_IQ1_M},   {"IQ2_XXS", LLAMA_FTYPE_MOSTLY_IQ2_XXS},
        {"IQ2_XS", LLAMA_FTYPE_MOSTLY_IQ2_XS}, {"IQ2_S", LLAMA_FTYPE_MOSTLY_IQ2_S},
        {"IQ2_M", LLAMA_FTYPE_MOSTLY_IQ2_M},   {"IQ3_XXS", LLAMA_FTYPE_MOSTLY_IQ3_XXS},
        {"IQ3_XS", LLAMA_FTYPE_MOSTLY_IQ3_XS}, {"IQ3_S", LLAMA_FTYPE_MOSTLY_IQ3_S},
        {"IQ3_M", LLAMA_FTYPE_MOSTLY_IQ3_M},   {"IQ4_NL", LLAMA_FTYPE_MOSTLY_IQ4_NL},
        {"IQ4_XS", LLAMA_FTYPE_MOSTLY_IQ4_XS}, {"TQ1_0", LLAMA_FTYPE_MOSTLY_TQ1_0},
        {"TQ2_0", LLAMA_FTYPE_MOSTLY_TQ2_0},   {"MXFP4_MOE", LLAMA_FTYPE_MOSTLY_MXFP4_MOE},
    };
    return types;
}

ggml_type optional_type(const std::string & name) {
    return name.empty() ? GGML_TYPE_COUNT : backend::type_by_name(name);
}

}  // namespace

void quantize(const QuantizeConfig & config) {
    const auto type = file_types().find(config.type);
    if (type == file_types().end()) {
        throw Failure(ErrorCode::InvalidArgument,
                      "`" + config.type + "` is no quantisation type of llama.cpp.");
    }
    std::vector<llama_model_tensor_override> tensor_types;
    for (const TensorType & entry : config.tensor_types) {
        try {
            const std::regex checked(entry.pattern);
        } catch (const std::regex_error & error) {
            throw Failure(ErrorCode::InvalidArgument,
                          "`tensorTypes` pattern " + entry.pattern +
                              " is no regular expression: " + error.what() + ".");
        }
        tensor_types.push_back({entry.pattern.c_str(), backend::type_by_name(entry.type)});
    }
    tensor_types.push_back({nullptr, GGML_TYPE_COUNT});
    std::vector<llama_model_imatrix_data> imatrix;
    for (const ImportanceEntry & entry : config.imatrix) {
        imatrix.push_back({entry.name.c_str(), entry.values.data(), entry.values.size()});
    }
    imatrix.push_back({nullptr, nullptr, 0});
    std::vector<llama_model_kv_override> metadata;
    for (const MetadataOverride & entry : config.metadata_overrides) {
        metadata.push_back(to_llama(entry));
    }
    metadata.push_back(llama_model_kv_override{});

    llama_model_quantize_params params = llama_model_quantize_default_params();
    params.nthread = config.threads;
    params.ftype = type->second;
    params.output_tensor_type = optional_type(config.output_tensor_type);
    params.token_embedding_type = optional_type(config.token_embedding_type);
    params.allow_requantize = config.allow_requantize;
    params.quantize_output_tensor = config.quantize_output_tensor;
    params.only_copy = config.only_copy;
    params.pure = config.pure;
    params.keep_split = config.keep_split;
    params.dry_run = config.dry_run;
    params.imatrix = config.imatrix.empty() ? nullptr : imatrix.data();
    params.tt_overrides = config.tensor_types.empty() ? nullptr : tensor_types.data();
    params.kv_overrides = config.metadata_overrides.empty() ? nullptr : metadata.data();

    log_hub::ThreadCapture capture;
    std::string thrown;
    uint32_t code = 1;
    try {
        code = llama_model_quantize(config.input.c_str(), config.output.c_str(), &params);
    } catch (const std::exception & error) {
        thrown = error.what();
    }
    if (code != 0) {
        const std::string reason = thrown.empty() ? capture.errors() : thrown;
        throw Failure(ErrorCode::QuantizeFailed, "llama.cpp could not quantise " + config.input +
                                                     ": " +
                                                     (reason.empty() ? "no reason given" : reason));
    }
}

int64_t row_bytes(const std::string & type, int64_t elements) {
    const ggml_type found = backend::type_by_name(type);
    if (elements <= 0 || elements % ggml_blck_size(found) != 0) {
        return -1;
    }
    return static_cast<int64_t>(ggml_row_size(found, elements));
}

}  // namespace r1

// Reads the contract's NativeModelConfig. JavaScript thread.
#include "wrap/model_config.h"

namespace r1 {

std::vector<MetadataOverride> metadata_overrides_of(const Fields & fields, const char * name) {
    std::vector<MetadataOverride> all;
    for (const Fields & entry : fields.objects(name)) {
        const std::string kind = entry.text("kind");
        MetadataOverride made{entry.text("key"), false};
        if (kind == "int") {
            made.value = entry.integer("value", -(1LL << 53), 1LL << 53);
        } else if (kind == "float") {
            made.value = entry.number("value");
        } else if (kind == "bool") {
            made.value = entry.flag("value");
        } else {
            made.value = entry.text("value");
        }
        all.push_back(std::move(made));
    }
    return all;
}

ModelConfig model_config_of(const Napi::Value & value) {
    const Fields fields(value, "config");
    ModelConfig config;
    config.paths = fields.texts("paths");
    config.gpu_layers = fields.int32("gpuLayers");
    config.devices = fields.texts("devices");
    config.main_gpu = fields.int32("mainGpu");
    config.split_mode = fields.text("splitMode");
    config.tensor_split = fields.reals("tensorSplit");
    for (const Fields & entry : fields.objects("tensorOverrides")) {
        config.tensor_overrides.push_back({entry.text("pattern"), entry.text("buffer")});
    }
    config.load_mode = fields.text("loadMode");
    config.check_tensors = fields.flag("checkTensors");
    config.repack = fields.flag("repack");
    config.mla = fields.flag("mla");
    config.vocab_only = fields.flag("vocabOnly");
    config.metadata_overrides = metadata_overrides_of(fields, "metadataOverrides");
    return config;
}

}  // namespace r1

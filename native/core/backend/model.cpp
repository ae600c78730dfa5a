// Model: weights and vocabulary, loaded with progress and cancellation. load() runs on its own
// thread; the rest is read-only and safe on any thread.
#include "core/backend/model.h"

#include <cerrno>
#include <cstring>
#include <thread>

#include "core/backend/backend.h"
#include "core/backend/backend_library.h"
#include "core/backend/log_hub.h"
#include "core/backend/page_release.h"
#include "core/failure.h"
#include "core/platform/thread_supply.h"

namespace r1 {
namespace {

struct LoadWatch {
    const std::atomic<bool> & cancelled;
    const Model::Progress & progress;
};

bool on_progress(float value, void * data) {
    const LoadWatch & watch = *static_cast<LoadWatch *>(data);
    if (watch.cancelled.load(std::memory_order_relaxed)) {
        return false;
    }
    try {
        watch.progress(value);
    } catch (...) {
        // A failed progress report must not fail the load, and C code is on the stack.
    }
    return true;
}

llama_load_mode load_mode_of(const std::string & name) {
    if (name == "auto") return LLAMA_LOAD_MODE_AUTO;
    if (name == "none") return LLAMA_LOAD_MODE_NONE;
    if (name == "mmap") return LLAMA_LOAD_MODE_MMAP;
    if (name == "mlock") return LLAMA_LOAD_MODE_MMAP_MLOCK;
    if (name == "direct") return LLAMA_LOAD_MODE_DIRECT_IO;
    throw Failure(ErrorCode::InvalidArgument,
                  "`loadMode` is auto, none, mmap, mlock or direct, not " + name + ".");
}

llama_split_mode split_mode_of(const std::string & name) {
    if (name == "none") return LLAMA_SPLIT_MODE_NONE;
    if (name == "layer") return LLAMA_SPLIT_MODE_LAYER;
    if (name == "row") return LLAMA_SPLIT_MODE_ROW;
    throw Failure(ErrorCode::InvalidArgument,
                  "`splitMode` is none, layer or row, not " + name + ".");
}

// Everything llama_model_params points into; must live through the load.
struct LoadArguments {
    std::vector<ggml_backend_dev_t> devices;
    std::vector<float> tensor_split;
    std::vector<llama_model_tensor_buft_override> tensor_overrides;
    std::vector<llama_model_kv_override> metadata;
    llama_model_params params = llama_model_default_params();

    explicit LoadArguments(const ModelConfig & config) {
        for (const std::string & name : config.devices) {
            devices.push_back(backend::device_by_name(name));
        }
        if (!devices.empty() || config.cpu_only) {
            devices.push_back(nullptr);
            params.devices = devices.data();
        }
        if (!config.tensor_split.empty()) {
            if (config.tensor_split.size() > llama_max_devices()) {
                throw Failure(ErrorCode::InvalidArgument, "`tensorSplit` has at most " +
                                                              std::to_string(llama_max_devices()) +
                                                              " entries.");
            }
            tensor_split = config.tensor_split;
            tensor_split.resize(llama_max_devices(), 0.0f);
            params.tensor_split = tensor_split.data();
        }
        for (const TensorOverride & entry : config.tensor_overrides) {
            tensor_overrides.push_back(
                {entry.pattern.c_str(), backend::buffer_type_by_name(entry.buffer)});
        }
        if (!tensor_overrides.empty()) {
            tensor_overrides.push_back({nullptr, nullptr});
            params.tensor_buft_overrides = tensor_overrides.data();
        }
        for (const MetadataOverride & entry : config.metadata_overrides) {
            metadata.push_back(to_llama(entry));
        }
        if (!metadata.empty()) {
            metadata.push_back(llama_model_kv_override{});
            params.kv_overrides = metadata.data();
        }
        params.n_gpu_layers = config.gpu_layers;
        params.main_gpu = config.main_gpu;
        params.split_mode = split_mode_of(config.split_mode);
        params.load_mode = load_mode_of(config.load_mode);
        params.check_tensors = config.check_tensors;
        // AMX's layout cannot multiply weights that folded MLA uses behind a permuted view.
        // llama.cpp still places such weights there, and asserts when it plans the first graph.
        const bool has_amx = config.repack && backend::has_cpu_buffer_type("AMX");
        params.use_extra_bufts = config.repack && !(config.mla && has_amx);
        if (has_amx && params.use_extra_bufts && !config.vocab_only) {
            // AMX lays weights out by OpenMP on every processor while they are loaded.
            const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
            thread_supply::require(processors - 1, "to repack weights on every processor");
        }
        params.vocab_only = config.vocab_only;
        params.no_alloc = config.without_data;
    }
};

}  // namespace

std::shared_ptr<Model> Model::load(const ModelConfig & config, const std::atomic<bool> & cancelled,
                                   const Progress & progress) {
    if (config.paths.empty()) {
        throw Failure(ErrorCode::InvalidArgument, "A model needs at least one file.");
    }
    LoadArguments arguments(config);
    LoadWatch watch{cancelled, progress};
    arguments.params.progress_callback = on_progress;
    arguments.params.progress_callback_user_data = &watch;

    log_hub::ThreadCapture capture;
    ModelHandle handle;
    std::string thrown;
    try {
        if (!config.cpu_only) {
            backend::start_linked_devices();
        }
        const auto registry = backend::read_registry();
        std::vector<const char *> paths;
        for (const std::string & path : config.paths) {
            paths.push_back(path.c_str());
        }
        llama_model * raw =
            paths.size() == 1
                ? llama_model_load_from_file(paths[0], arguments.params)
                : llama_model_load_from_splits(paths.data(), paths.size(), arguments.params);
        handle = ModelHandle(raw, llama_model_deleter());
    } catch (const std::exception & error) {
        thrown = error.what();
    }
    if (handle == nullptr || cancelled.load()) {
        if (cancelled.load()) {
            throw Failure(ErrorCode::Aborted, "Loading was aborted.");
        }
        std::string reason = thrown.empty() ? capture.errors() : thrown;
        if (reason.empty()) {
            reason = "no reason given";
        }
        if (reason.find(std::strerror(EAGAIN)) != std::string::npos) {
            throw no_thread_left();  // `checkTensors` uses a thread for each
        }
        throw Failure(ErrorCode::ModelLoadFailed,
                      "llama.cpp could not load " + config.paths[0] + ": " + reason);
    }
    return std::make_shared<Model>(std::move(handle), config.vocab_only);
}

Model::Model(ModelHandle handle, bool vocab_only)
    : handle_(std::move(handle)),
      vocab_only_(vocab_only),
      vocab_(handle_.get()),
      info_(read_info()) {}

std::string Model::metadata_value(const std::string & key) const {
    const int32_t size = llama_model_meta_val_str(handle_.get(), key.c_str(), nullptr, 0);
    if (size < 0) {
        return {};
    }
    std::string value(static_cast<std::size_t>(size) + 1, '\0');
    llama_model_meta_val_str(handle_.get(), key.c_str(), value.data(), value.size());
    value.resize(static_cast<std::size_t>(size));
    return value;
}

Model::~Model() { release_weight_pages(handle_.get()); }

std::map<std::string, std::string> Model::metadata() const {
    std::map<std::string, std::string> all;
    for (int32_t i = 0; i < llama_model_meta_count(handle_.get()); ++i) {
        const int32_t size = llama_model_meta_key_by_index(handle_.get(), i, nullptr, 0);
        std::string key(static_cast<std::size_t>(std::max(size, 0)) + 1, '\0');
        llama_model_meta_key_by_index(handle_.get(), i, key.data(), key.size());
        key.resize(key.size() - 1);
        all[key] = metadata_value(key);
    }
    return all;
}

const char * Model::chat_template() const {
    return llama_model_chat_template(handle_.get(), nullptr);
}

ModelInfo Model::read_info() const {
    const llama_model * model = handle_.get();
    ModelInfo info{};
    info.architecture = metadata_value("general.architecture");
    char description[256] = {};
    llama_model_desc(model, description, sizeof(description));
    info.description = description;
    info.layers = llama_model_n_layer(model);
    info.parameters = llama_model_n_params(model);
    info.size_bytes = llama_model_size(model);
    info.train_context = llama_model_n_ctx_train(model);
    info.embedding_size = llama_model_n_embd(model);
    // llama.cpp's own rule, hparams.is_mla(): both keys set and not zero.
    const auto set = [&](const char * suffix) {
        const std::string value = metadata_value(info.architecture + suffix);
        return !value.empty() && value != "0";
    };
    info.is_mla = set(".attention.key_length_mla") && set(".attention.value_length_mla");
    info.has_decoder = llama_model_has_decoder(model);
    return info;
}

}  // namespace r1

// Model: weights and vocabulary, loaded with progress and cancellation. load() runs on its own
// thread; the rest is read-only and safe on any thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/backend/metadata_override.h"
#include "core/handles.h"
#include "core/sampling/grammar_cache.h"
#include "core/text/vocab.h"

namespace r1 {

struct TensorOverride {
    // std::regex over tensor names, made from known names only: an untrusted pattern may never end.
    // The first match wins.
    std::string pattern;
    std::string buffer;  // device or buffer type name
};

struct ModelConfig {
    std::vector<std::string> paths;
    int32_t gpu_layers = 0;
    std::vector<std::string> devices;
    int32_t main_gpu = 0;
    std::string split_mode;
    std::vector<float> tensor_split;
    std::vector<TensorOverride> tensor_overrides;
    std::string load_mode;
    bool check_tensors = false;
    bool repack = true;
    bool mla = false;  // the file has MLA in its folded form: no repacking on a CPU with AMX
    bool vocab_only = false;
    bool without_data = false;  // weights are described and never read; needs loadMode none
    bool cpu_only = false;      // no device, not even one that llama.cpp would choose
    std::vector<MetadataOverride> metadata_overrides;
};

struct ModelInfo {
    std::string architecture;
    std::string description;
    int32_t layers;
    uint64_t parameters;
    uint64_t size_bytes;
    int32_t train_context;
    int32_t embedding_size;
    bool is_mla;
    bool has_decoder;
};

class Model {
public:
    using Progress = std::function<void(float)>;

    /**
     * Loads a model; blocks until done. `cancelled` may be set from any thread; the load then stops
     * at the next tensor. Throws Failure and frees everything: Aborted, InvalidArgument (devices,
     * patterns), ModelLoadFailed with llama.cpp's own words.
     */
    static std::shared_ptr<Model> load(const ModelConfig & config,
                                       const std::atomic<bool> & cancelled,
                                       const Progress & progress);

    Model(ModelHandle handle, bool vocab_only);
    Model(const Model &) = delete;
    Model & operator=(const Model &) = delete;
    /** Returns the weights' memory to the system in parts, then frees the model. */
    ~Model();

    llama_model * handle() const { return handle_.get(); }
    const Vocab & vocab() const { return vocab_; }
    const ModelInfo & info() const { return info_; }
    bool vocab_only() const { return vocab_only_; }

    /** Scalar metadata as llama.cpp prints it. */
    std::map<std::string, std::string> metadata() const;

    /** A metadata value, or an empty string. */
    std::string metadata_value(const std::string & key) const;

    /** The file's chat template, or nullptr. Lives as long as the model. */
    const char * chat_template() const;

    /**
     * Serialises context creation: llama_init_from_model may write to the model (llama-context.cpp,
     * YaRN).
     */
    std::mutex & context_mutex() const { return context_mutex_; }

    /** Compiled grammars of this vocabulary. */
    GrammarCache & grammars() const { return grammars_; }

private:
    ModelInfo read_info() const;

    ModelHandle handle_;
    bool vocab_only_;
    Vocab vocab_;  // reads handle_: declared after it
    ModelInfo info_;
    mutable std::mutex context_mutex_;
    mutable GrammarCache grammars_;  // refers to vocab_: declared after it
};

}  // namespace r1

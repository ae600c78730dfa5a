// The embedded model, loaded once for all claims that need one. Test process only.
#include "test/tiny_model.h"

#include <atomic>

#include "core/backend.h"

namespace r1::test {
namespace {

std::shared_ptr<Model> & slot() {
    static std::shared_ptr<Model> model;
    return model;
}

std::string & backend_folder() {
    static std::string folder = ".";
    return folder;
}

std::shared_ptr<Model> load(const std::string & path, bool vocab_only) {
    backend::initialize(backend_folder(), "disabled");
    ModelConfig config;
    config.paths = {path};
    config.split_mode = "layer";
    config.load_mode = "auto";
    config.vocab_only = vocab_only;
    const std::atomic<bool> cancelled{false};
    return Model::load(config, cancelled, [](float) {});
}

}  // namespace

void set_backend_folder(const std::string & program) {
    const std::size_t slash = program.rfind('/');
    backend_folder() = slash == std::string::npos ? "." : program.substr(0, slash);
}

std::shared_ptr<Model> tiny_model() {
    if (slot() == nullptr) {
        slot() = load(R1_SOURCE_DIR "/models/tiny-r1.gguf", false);
    }
    return slot();
}

std::shared_ptr<Model> vocabulary_of(const std::string & path) { return load(path, true); }

void release_tiny_model() { slot().reset(); }

}  // namespace r1::test

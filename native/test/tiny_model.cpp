// The embedded model and its unquantised form, each loaded once for all claims that need one. Test
// process only.
#include "test/tiny_model.h"

#include <atomic>

#include "core/backend/backend.h"

namespace r1::test {
namespace {

struct Slots {
    std::shared_ptr<Model> tiny;
    std::shared_ptr<Model> precise;
};

Slots & slots() {
    static Slots both;
    return both;
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
    config.mla = true;  // both files have it
    const std::atomic<bool> cancelled{false};
    return Model::load(config, cancelled, [](float) {});
}

}  // namespace

void set_backend_folder(const std::string & program) {
    const std::size_t slash = program.rfind('/');
    backend_folder() = slash == std::string::npos ? "." : program.substr(0, slash);
}

std::shared_ptr<Model> tiny_model() {
    if (slots().tiny == nullptr) {
        slots().tiny = load(R1_SOURCE_DIR "/models/tiny-r1.gguf", false);
    }
    return slots().tiny;
}

std::shared_ptr<Model> precise_model() {
    if (slots().precise == nullptr) {
        slots().precise = load(R1_SOURCE_DIR "/models/tiny-r1-f16.gguf", false);
    }
    return slots().precise;
}

std::shared_ptr<Model> vocabulary_of(const std::string & path) { return load(path, true); }

void release_models() { slots() = {}; }

}  // namespace r1::test

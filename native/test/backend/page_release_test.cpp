// Claims about memory that is given back in parts before llama.cpp frees it. Linux: resident memory
// is read from /proc.
#ifdef __linux__

#include <unistd.h>

#include <atomic>
#include <fstream>

#include "core/backend/context.h"
#include "core/backend/page_release.h"
#include "test/harness.h"
#include "test/tiny_model.h"

namespace {

using namespace r1;
using namespace r1::test;

std::size_t resident_bytes() {
    std::size_t all = 0;
    std::size_t resident = 0;
    std::ifstream("/proc/self/statm") >> all >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

R1_TEST(
    "pages: those of the cells go back to the system before the context is freed, and other "
    "engines of the model answer as before") {
    Harness other(small_engine());
    const auto ask = [&](uint32_t id) {
        return other.ask(request(id, question(*tiny_model(), "What is 1+1?"), 12)).text;
    };
    const std::string before = ask(1);

    EngineConfig config = small_engine();
    config.context_size = 1 << 18;
    const Context context(
        tiny_model(), config, std::make_shared<ThreadPools>(1, 1, "normal", 0),
        [](void *) { return false; }, nullptr);
    // llama.cpp has written zeros to all cells.
    const std::size_t cells = context.info().cache_bytes;
    check(cells > 32u << 20, "the cache is too small to be seen: " + std::to_string(cells));
    const std::size_t full = resident_bytes();
    release_cell_pages(context.memory(), llama_model_n_layer(tiny_model()->handle()));
    const std::size_t empty = resident_bytes();
    check(full - empty > cells * 8 / 10,
          std::to_string(full - empty) + " of " + std::to_string(cells) + " bytes went back");
    CHECK_EQUAL(ask(2), before);
}

R1_TEST("pages: the weights of a model that is freed leave another one of the same file whole") {
    const std::vector<llama_token> prompt = question(*tiny_model(), "What is 1+1?");
    const auto answer_of = [&](std::shared_ptr<Model> model) {
        Harness harness(small_engine(), std::move(model));
        return harness.ask(request(1, prompt, 12)).text;
    };
    const auto expected = answer_of(tiny_model());
    ModelConfig config;
    config.paths = {std::string(R1_SOURCE_DIR) + "/models/tiny-r1.gguf"};
    config.split_mode = "layer";
    for (const char * mode : {"mmap", "none"}) {
        config.load_mode = mode;
        const std::atomic<bool> never{false};
        const auto freed = Model::load(config, never, [](float) {});
        release_weight_pages(freed->handle());
        CHECK_EQUAL(answer_of(tiny_model()), expected);
    }
}

}  // namespace

#endif

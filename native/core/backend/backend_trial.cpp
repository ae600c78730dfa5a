// BackendTrial: checks a backend library that loads: its version of ggml, its devices and their
// results. Only in a child process made for this.
#include "core/backend/backend_trial.h"

#include <ggml.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "core/platform/library.h"

namespace r1::backend::trial {
namespace {

namespace fs = std::filesystem;

bool is_ggml_base(const std::string & path) {
    // Versions may follow the suffix, as in libggml-base.so.0.
    const std::string name = fs::path(library::file_name("ggml-base")).stem().string();
    return fs::u8path(path).filename().u8string().rfind(name, 0) == 0;
}

struct FreeContext {
    void operator()(ggml_context * context) const { ggml_free(context); }
};
struct FreeBackend {
    void operator()(ggml_backend_t backend) const { ggml_backend_free(backend); }
};
struct FreeBuffer {
    void operator()(ggml_backend_buffer_t buffer) const { ggml_backend_buffer_free(buffer); }
};

// Rows of a and b hold the numbers 1 and 2: every value of the product is 2 * inner.
bool multiplies(ggml_backend_dev_t device, ggml_backend_t backend) {
    constexpr int64_t inner = 64;
    constexpr int64_t rows = 8;
    const std::unique_ptr<ggml_context, FreeContext> context(
        ggml_init({ggml_tensor_overhead() * 8 + ggml_graph_overhead(), nullptr, true}));
    ggml_tensor * a = ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, inner, rows);
    ggml_tensor * b = ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, inner, 1);
    ggml_tensor * product = ggml_mul_mat(context.get(), a, b);
    if (!ggml_backend_dev_supports_op(device, product)) {
        return true;  // an accelerator for large matrices only
    }
    const std::unique_ptr<ggml_backend_buffer, FreeBuffer> buffer(
        ggml_backend_alloc_ctx_tensors(context.get(), backend));
    if (buffer == nullptr) {
        return false;
    }
    const std::vector<float> ones(static_cast<std::size_t>(inner * rows), 1.0f);
    const std::vector<float> twos(static_cast<std::size_t>(inner), 2.0f);
    ggml_backend_tensor_set(a, ones.data(), 0, ggml_nbytes(a));
    ggml_backend_tensor_set(b, twos.data(), 0, ggml_nbytes(b));
    ggml_cgraph * graph = ggml_new_graph(context.get());
    ggml_build_forward_expand(graph, product);
    if (ggml_backend_graph_compute(backend, graph) != GGML_STATUS_SUCCESS) {
        return false;
    }
    std::vector<float> result(static_cast<std::size_t>(rows));
    ggml_backend_tensor_get(product, result.data(), 0, ggml_nbytes(product));
    for (const float value : result) {
        if (!(value > 2.0f * inner - 0.5f && value < 2.0f * inner + 0.5f)) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::size_t copies_of_ggml() {
    std::size_t count = 0;
    for (const std::string & path : library::loaded()) {
        count += is_ggml_base(path) ? 1 : 0;
    }
    return count;
}

std::string version_problem(const std::string & path) {
    const std::string name = library::file_name("ggml-base");
    const fs::path beside = fs::u8path(path).parent_path() / name;
    std::error_code error;
    if (!fs::exists(beside, error)) {
        return {};
    }
    // Never closed: this process ends soon, and the library may have started threads.
    void * base = library::open(beside.u8string()).release();
    void * found = base == nullptr ? nullptr : library::find(base, "ggml_version");
    if (found == nullptr) {
        return "the " + name + " beside it cannot be read";
    }
    const std::string theirs = reinterpret_cast<const char * (*)()>(found)();
    const std::string ours = ggml_version();
    return theirs == ours ? std::string()
                          : "it was built for ggml " + theirs + ", and this is ggml " + ours;
}

std::string device_problem(ggml_backend_dev_t device) {
    const std::string name = ggml_backend_dev_name(device);
    try {
        ggml_backend_dev_props props;
        ggml_backend_dev_get_props(device, &props);
        const std::unique_ptr<ggml_backend, FreeBackend> backend(
            ggml_backend_dev_init(device, nullptr));
        if (backend == nullptr) {
            return "its device " + name + " cannot be started";
        }
        return multiplies(device, backend.get()) ? std::string()
                                                 : "its device " + name + " computes wrong";
    } catch (const std::exception & error) {
        return "its device " + name + " cannot be used: " + error.what();
    }
}

}  // namespace r1::backend::trial

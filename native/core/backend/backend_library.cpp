// BackendLibrary: loads a ggml backend library (libggml-vulkan.so, ...) into this process, or tries
// one in a child process. Any thread.
#include "core/backend/backend_library.h"

#include <filesystem>
#include <map>
#include <memory>

#include "core/backend/backend.h"
#include "core/backend/backend_trial.h"
#include "core/backend/log_hub.h"
#include "core/failure.h"
#include "core/platform/library.h"

namespace r1::backend {
namespace {

namespace fs = std::filesystem;

const std::atomic<bool> never{false};

std::vector<std::string> device_names_of(ggml_backend_reg_t reg) {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < ggml_backend_reg_dev_count(reg); ++i) {
        found.emplace_back(ggml_backend_dev_name(ggml_backend_reg_dev_get(reg, i)));
    }
    return found;
}

// The caller names the file, so the path is removed: "load_backend: failed to load /path/libx.so:
// the reason" -> "the reason"; "load_backend: failed to find y in /path/libx.so" -> "failed to find
// y".
std::string without_path(const std::string & line, const std::string & path) {
    const std::size_t at = line.rfind(path);
    if (at == std::string::npos) {
        return line;
    }
    const std::size_t behind = line.find_first_not_of(": ", at + path.size());
    if (behind != std::string::npos) {
        return line.substr(behind);
    }
    const std::size_t begin = line.find(": ");
    const std::size_t end = line.rfind(" in ", at);
    return begin == std::string::npos || end == std::string::npos || end < begin
               ? line
               : line.substr(begin + 2, end - begin - 2);
}

ggml_backend_reg_t load_unlocked(const std::string & path, std::string & reason) {
    log_hub::ThreadCapture capture;
    ggml_backend_reg_t reg = nullptr;
    try {
        reg = ggml_backend_load(path.c_str());
    } catch (const std::exception & error) {
        reason = error.what();
    }
    if (reg != nullptr || !reason.empty()) {
        return reg;
    }
    const std::string said = capture.errors();
    // ggml logs a library with the score 0 at no level above info.
    reason = said.empty() ? "it does not support this machine" : without_path(said, path);
    return nullptr;
}

// Makes the objects that a backend makes at the first use of a device. Two models that load at the
// same time would both make them, and Vulkan's backend has no lock there.
void start_device(ggml_backend_dev_t device) {
    ggml_backend_t backend = ggml_backend_dev_init(device, nullptr);
    ggml_backend_dev_buffer_type(device);
    ggml_backend_dev_host_buffer_type(device);
    ggml_backend_free(backend);
}

LibraryResult result_of(ggml_backend_reg_t reg, std::string reason) {
    if (reg == nullptr) {
        return {std::move(reason), {}, {}};
    }
    return {{}, ggml_backend_reg_name(reg), device_names_of(reg)};
}

// The score of a library that is built for several CPUs; 0: not for this one, or no such library.
int score_of(const fs::path & path) {
    const library::Handle handle = library::open(path.u8string());
    if (handle == nullptr) {
        return 0;
    }
    void * found = library::find(handle.get(), "ggml_backend_score");
    return found == nullptr ? 0 : reinterpret_cast<int (*)()>(found)();
}

}  // namespace

namespace {

// With the registry's lock held for writing.
LibraryResult load_locked(const std::string & file, const std::string & backend) {
    static std::map<std::string, LibraryResult> done;
    const auto known = done.find(file);
    if (known != done.end()) {
        return known->second;
    }
    std::string reason;
    ggml_backend_reg_t reg = ggml_backend_reg_by_name(backend.c_str());
    if (reg == nullptr) {
        reg = load_unlocked(file, reason);
        try {
            for (std::size_t i = 0; reg != nullptr && i < ggml_backend_reg_dev_count(reg); ++i) {
                start_device(ggml_backend_reg_dev_get(reg, i));
            }
        } catch (const std::exception & failure) {
            reason = failure.what();
            ggml_backend_unload(reg);
            reg = nullptr;
        }
    }
    return done[file] = result_of(reg, std::move(reason));
}

std::string real_path(const std::string & path) {
    std::error_code error;
    const fs::path real = fs::canonical(fs::u8path(path), error);
    return error ? path : real.u8string();
}

}  // namespace

LibraryResult load_library(const std::string & path, const std::string & backend,
                           const std::atomic<bool> & cancelled) {
    const auto lock = write_registry(cancelled);
    if (!lock.owns_lock()) {
        throw Failure(ErrorCode::Aborted, "Loading the library " + path + " was aborted.");
    }
    return load_locked(real_path(path), backend);
}

std::optional<LibraryResult> load_library_now(const std::string & path,
                                              const std::string & backend) {
    const auto lock = try_write_registry();
    if (!lock.owns_lock()) {
        return std::nullopt;
    }
    return load_locked(real_path(path), backend);
}

void start_linked_devices() {
    static std::once_flag once;
    std::call_once(once, [] {
        const auto lock = write_registry(never);
        for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
            ggml_backend_dev_t device = ggml_backend_dev_get(i);
            const enum ggml_backend_dev_type type = ggml_backend_dev_type(device);
            if (type == GGML_BACKEND_DEVICE_TYPE_GPU || type == GGML_BACKEND_DEVICE_TYPE_IGPU) {
                start_device(device);
            }
        }
    });
}

LibraryResult try_library(const std::string & path) {
    const auto lock = write_registry(never);
    const std::size_t copies = trial::copies_of_ggml();
    std::string reason;
    ggml_backend_reg_t reg = load_unlocked(path, reason);
    if (reg != nullptr && trial::copies_of_ggml() > copies) {
        return {
            "it brings a ggml of its own, which cannot work beside the one that is here", {}, {}};
    }
    if (reg != nullptr) {
        reason = trial::version_problem(path);
    }
    for (std::size_t i = 0; reg != nullptr && reason.empty() && i < ggml_backend_reg_dev_count(reg);
         ++i) {
        reason = trial::device_problem(ggml_backend_reg_dev_get(reg, i));
    }
    return result_of(reason.empty() ? reg : nullptr, reason);
}

bool load_best(const std::string & folder, const std::string & name) {
    // Modules of CMake end in .so on macOS too.
    const fs::path plain = library::module_name("ggml-" + name);
    const std::string prefix = plain.stem().string() + "-";
    fs::path best;
    int best_score = 0;
    std::error_code error;
    for (const fs::directory_entry & entry : fs::directory_iterator(fs::u8path(folder), error)) {
        const std::string file = entry.path().filename().u8string();
        if (file.rfind(prefix, 0) != 0 || entry.path().extension() != plain.extension()) {
            continue;
        }
        const int score = score_of(entry.path());
        if (score > best_score) {
            best_score = score;
            best = entry.path();
        }
    }
    if (best.empty()) {
        best = fs::u8path(folder) / plain;
        if (!fs::exists(best, error)) {
            return false;
        }
    }
    std::string reason;
    return load_unlocked(best.u8string(), reason) != nullptr;
}

}  // namespace r1::backend

// Loaded in front of llama-completion (LD_PRELOAD): writes down every token that upstream's sampler accepts, on the thread that accepts it.
//
// The program prints text, from a log thread that may lose the end, and text does not tell ids. The function below stands before upstream's of the same name,
// notes the token in the file that R1_TRACE_FILE names (a pair of 32-bit integers: id, 1 if generated and 0 if of the prompt) and hands on to upstream's.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

struct common_sampler;

void common_sampler_accept(common_sampler * sampler, int32_t token, bool is_generated) {
    using Accept = void (*)(common_sampler *, int32_t, bool);
    static const auto upstream = reinterpret_cast<Accept>(dlsym(RTLD_NEXT, "_Z21common_sampler_acceptP14common_samplerib"));
    static const char * const path = std::getenv("R1_TRACE_FILE");
    static const int file = path == nullptr ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    const int32_t record[2] = {token, is_generated ? 1 : 0};
    if (file < 0 || upstream == nullptr || write(file, record, sizeof record) != static_cast<ssize_t>(sizeof record)) {
        std::abort();   // better no answer than a short one
    }
    upstream(sampler, token, is_generated);
}

// Runs the C++ tests of native/core: every claim on a line, then how many held. r1_core_tests [part
// of a claim ...]. Exit code 1 if one did not.
#include <chrono>
#include <cstdio>
#include <cstring>

#include "test/check.h"
#include "test/tiny_model.h"

#if defined(__SANITIZE_THREAD__)
// An exception that a future carries is freed by its last holder. libstdc++ counts the holders with
// atomics inside its own, uninstrumented library, so the thread sanitizer does not see that the
// reader was done before. Everything else it finds counts.
extern "C" const char * __tsan_default_suppressions();
extern "C" const char * __tsan_default_suppressions() {
    return "race:std::__exception_ptr::exception_ptr::_M_release\n";
}
#endif

int main(int argc, char ** argv) {
    r1::test::set_backend_folder(argv[0]);
    int held = 0;
    int refuted = 0;
    for (const r1::test::Claim & claim : r1::test::claims()) {
        bool wanted = argc < 2;
        for (int i = 1; i < argc; ++i) {
            wanted = wanted || std::strstr(claim.text, argv[i]) != nullptr;
        }
        if (!wanted) {
            continue;
        }
        const auto begun = std::chrono::steady_clock::now();
        std::string problem;
        try {
            claim.body();
        } catch (const std::exception & error) {
            problem = error.what();
        }
        const double ms =
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun)
                .count();
        std::printf("%s %s (%.0f ms)\n", problem.empty() ? "ok    " : "NOT OK", claim.text, ms);
        if (!problem.empty()) {
            std::printf("       %s\n", problem.c_str());
        }
        std::fflush(stdout);
        ++(problem.empty() ? held : refuted);
    }
    r1::test::release_models();
    std::printf("%d claims hold, %d do not\n", held, refuted);
    return refuted == 0 && held > 0 ? 0 : 1;
}

// Claims about what is told of the CPU backend's layouts for weights, which loading R1 depends on.
#include "core/backend/backend.h"

#include "test/check.h"
#include "test/tiny_model.h"

namespace {

using namespace r1;

R1_TEST("backend: a layout that the CPU backend has is known by its name, and no other") {
    test::tiny_model();  // starts the backends
    CHECK(!backend::has_cpu_buffer_type("no such layout"));
    CHECK(!backend::has_cpu_buffer_type("CPU"));  // the plain one
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        CHECK(backend::has_cpu_buffer_type("CPU_REPACK"));
    }
#endif
}

}  // namespace

// Systems on which Node starts children without copying page tables. Any thread.
#include "core/platform/child_process.h"

#include "core/failure.h"

namespace r1::child_process {

bool is_supported() { return false; }

Child start(const std::string &, const std::vector<std::string> &,
            const std::vector<std::string> &) {
    throw Failure(ErrorCode::Internal, "Children are started by Node on this system.");
}

std::optional<End> reap(int) { return End{0, 0}; }

}  // namespace r1::child_process

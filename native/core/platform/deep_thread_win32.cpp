// Runs a function on a Windows thread with a stack of a given size. Any thread.
#include <process.h>

#include "core/platform/deep_thread.h"
#include "core/platform/win32/windows_header.h"

namespace r1 {
namespace {

struct Task {
    void (*work)(void *);
    void * data;
};

unsigned __stdcall run(void * task) {
    const auto & [work, data] = *static_cast<Task *>(task);
    work(data);
    return 0;
}

}  // namespace

bool run_deep_thread(std::size_t stack_bytes, void (*work)(void *), void * data) {
    Task task{work, data};
    // The size is an address range; pages get memory when they are used.
    const auto made = _beginthreadex(nullptr, static_cast<unsigned>(stack_bytes), run, &task,
                                     STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr);
    if (made == 0) {
        return false;
    }
    const auto thread = reinterpret_cast<HANDLE>(made);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    return true;
}

}  // namespace r1

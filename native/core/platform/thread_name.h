// Names the calling thread, for debuggers, `top -H` and profilers. Any thread.
#pragma once

#ifndef _WIN32
#include <pthread.h>
#endif

namespace r1 {

/** `name` has at most 15 characters: Linux takes no longer one. */
inline void name_this_thread(const char * name) {
#ifdef __linux__
    pthread_setname_np(pthread_self(), name);
#elif defined(__APPLE__)
    pthread_setname_np(name);
#else
    static_cast<void>(name);
#endif
}

}  // namespace r1

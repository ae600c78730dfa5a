// Opens shared libraries by dlopen(). Any thread.
#include <dlfcn.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#else
#include <link.h>
#endif

#include "core/platform/library.h"

namespace r1::library {

std::string file_name(const std::string & name) {
#ifdef __APPLE__
    return "lib" + name + ".dylib";
#else
    return "lib" + name + ".so";
#endif
}

std::string module_name(const std::string & name) { return "lib" + name + ".so"; }

void Close::operator()(void * handle) const { dlclose(handle); }

Handle open(const std::string & path) {
    return Handle(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
}

void * find(void * library, const char * name) { return dlsym(library, name); }

void keep(const void *) {}

std::vector<std::string> loaded() {
    std::vector<std::string> paths;
#ifdef __APPLE__
    for (uint32_t i = 0; i < _dyld_image_count(); ++i) {
        const char * path = _dyld_get_image_name(i);
        paths.emplace_back(path == nullptr ? "" : path);
    }
#else
    dl_iterate_phdr(
        [](dl_phdr_info * info, std::size_t, void * data) {
            static_cast<std::vector<std::string> *>(data)->emplace_back(
                info->dlpi_name == nullptr ? "" : info->dlpi_name);
            return 0;
        },
        &paths);
#endif
    return paths;
}

}  // namespace r1::library

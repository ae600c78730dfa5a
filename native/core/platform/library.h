// Opens shared libraries by path. Any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace r1::library {

/** How the system names the library `name`: libname.so, libname.dylib or name.dll. */
std::string file_name(const std::string & name);

/** How the system names a module, a library that is only ever opened by its path. */
std::string module_name(const std::string & name);

struct Close {
    void operator()(void * handle) const;
};
using Handle = std::unique_ptr<void, Close>;

/** Loads the library, with its own libraries beside it; null if that fails. Path in UTF-8. */
Handle open(const std::string & path);

/** The address of a function; null if there is none of this name. */
void * find(void * library, const char * name);

/**
 * Keeps the library that contains an address loaded until the process ends. POSIX systems: the
 * linker has marked it so.
 */
void keep(const void * address);

/** The paths of all libraries that this process has loaded, in UTF-8. */
std::vector<std::string> loaded();

}  // namespace r1::library

// Opens shared libraries by LoadLibraryExW(). Any thread.
#include "core/platform/library.h"
#include "core/platform/win32/wide.h"
#include "core/platform/win32/windows_header.h"
// After windows.h, whose types it uses.
#include <psapi.h>

namespace r1::library {

std::string file_name(const std::string & name) { return name + ".dll"; }

std::string module_name(const std::string & name) { return name + ".dll"; }

void Close::operator()(void * handle) const { FreeLibrary(static_cast<HMODULE>(handle)); }

Handle open(const std::string & path) {
    // Its own libraries are searched for in its folder, not in that of node.exe.
    return Handle(LoadLibraryExW(wide(path).c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH));
}

void * find(void * library, const char * name) {
    return reinterpret_cast<void *>(GetProcAddress(static_cast<HMODULE>(library), name));
}

void keep(const void * address) {
    HMODULE module = nullptr;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                       static_cast<LPCWSTR>(address), &module);
}

std::vector<std::string> loaded() {
    std::vector<HMODULE> modules(1024);
    DWORD bytes = 0;
    const auto size = static_cast<DWORD>(modules.size() * sizeof(HMODULE));
    if (!K32EnumProcessModules(GetCurrentProcess(), modules.data(), size, &bytes)) {
        return {};
    }
    modules.resize(bytes < size ? bytes / sizeof(HMODULE) : modules.size());
    std::vector<std::string> paths;
    for (const HMODULE module : modules) {
        std::wstring path(32768, L'\0');
        path.resize(GetModuleFileNameW(module, path.data(), static_cast<DWORD>(path.size())));
        paths.push_back(narrow(path));
    }
    return paths;
}

}  // namespace r1::library

// Converts paths between UTF-8 and UTF-16. Any thread.
#include "core/platform/win32/wide.h"

#include "core/platform/win32/windows_header.h"

namespace r1 {

std::wstring wide(const std::string & text) {
    const int size = static_cast<int>(text.size());
    const int length = MultiByteToWideChar(CP_UTF8, 0, text.data(), size, nullptr, 0);
    std::wstring made(static_cast<std::size_t>(length), L'\0');
    MultiByteToWideChar(CP_UTF8, 0, text.data(), size, made.data(), length);
    return made;
}

std::string narrow(const std::wstring & text) {
    const int size = static_cast<int>(text.size());
    const int length =
        WideCharToMultiByte(CP_UTF8, 0, text.data(), size, nullptr, 0, nullptr, nullptr);
    std::string made(static_cast<std::size_t>(length), '\0');
    WideCharToMultiByte(CP_UTF8, 0, text.data(), size, made.data(), length, nullptr, nullptr);
    return made;
}

}  // namespace r1

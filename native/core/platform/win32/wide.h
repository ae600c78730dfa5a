// Converts paths between UTF-8, which this project uses, and UTF-16, which Windows does. Any
// thread.
#pragma once

#include <string>

namespace r1 {

std::wstring wide(const std::string & text);
std::string narrow(const std::wstring & text);

}  // namespace r1

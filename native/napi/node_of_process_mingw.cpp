// Finds Node's functions in the program that loaded the addon, whatever its name: node.exe, a
// renamed copy of it, or an application that contains Node. Runs once, at the first of these calls.
#ifdef __MINGW32__
#include <windows.h>
// After windows.h, whose types it uses.
#include <delayimp.h>

#include <cstring>

namespace {

FARPROC WINAPI find_node(unsigned event, PDelayLoadInfo info) {
    if (event != dliNotePreLoadLibrary || _stricmp(info->szDll, "node.exe") != 0) {
        return nullptr;
    }
    return reinterpret_cast<FARPROC>(reinterpret_cast<void *>(GetModuleHandleW(nullptr)));
}

}  // namespace

// The loader of libdelayimp.a asks it; a program without such a function has a weak null there.
extern "C" {
PfnDliHook __pfnDliNotifyHook2 = find_node;
}
#endif

# Cross-compiles for 64-bit Windows with Debian's MinGW (package g++-mingw-w64-x86-64-posix): the
# variant with POSIX threads, because the other one has no std::thread.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
set(CMAKE_DLLTOOL x86_64-w64-mingw32-dlltool)

# GCC 12 cannot assemble AMX for Windows, which one of upstream's CPU variants needs.
set(GGML_CPU_ALL_VARIANTS OFF CACHE BOOL "")

# The addon uses functions of libllama that upstream does not mark for export.
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-Wl,--export-all-symbols")

set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Windows 10, whose interfaces upstream uses too. GCC aligns the stack of 64-bit Windows to 16 bytes
# only, so the assembler replaces aligned moves of wider registers by unaligned ones.
add_compile_definitions(_WIN32_WINNT=0x0A00 WINVER=0x0A00)
add_compile_options(-Wa,-muse-unaligned-vector-move)
add_compile_options("$<$<COMPILE_LANGUAGE:C>:SHELL:-include ${CMAKE_CURRENT_LIST_DIR}/mingw_gaps.h>")

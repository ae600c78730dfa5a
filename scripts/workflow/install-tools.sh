#!/usr/bin/env bash
# Installs what the native build needs on the machines and in the containers of the workflows.
set -euo pipefail

# Later steps of a workflow see these; elsewhere they have no effect.
for_later_steps() { [ -z "${2:-}" ] || printf '%s\n' "$1" >>"$2"; }

if command -v dnf >/dev/null; then
  # Rocky Linux 8, for glibc 2.28: its own GCC 8 does not know the newer processors.
  dnf install -y -q scl-utils which gcc-toolset-14-gcc-c++ cmake make python3.11 git binutils tar gzip
  compiler=$(scl enable gcc-toolset-14 -- which g++)
  for_later_steps "$(dirname "$compiler")" "${GITHUB_PATH:-}"
  for_later_steps "PYTHON=$(command -v python3.11)" "${GITHUB_ENV:-}"
elif command -v apk >/dev/null; then
  apk add --quiet build-base cmake ninja python3 git binutils linux-headers tar
elif command -v apt-get >/dev/null; then
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" apt-get install -q -y --no-install-recommends \
    build-essential cmake ninja-build python3 git binutils
elif command -v brew >/dev/null; then
  command -v cmake >/dev/null || brew install --quiet cmake
  command -v ninja >/dev/null || brew install --quiet ninja
else
  # Runners of Windows have Visual Studio, LLVM, CMake and Ninja.
  command -v cmake
  command -v ninja
  command -v clang-cl
fi

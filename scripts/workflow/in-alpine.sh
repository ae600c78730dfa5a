#!/usr/bin/env bash
# Builds and tries the package for musl of this machine's processor, in a container of Alpine. In
# a container already, as on a developer's machine with Alpine, it does the same without another.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ ! -e /etc/alpine-release ]; then
  exec docker run --rm -v "$PWD:/r1-native" -w /r1-native node:22-alpine \
    sh -c 'apk add --quiet bash && scripts/workflow/in-alpine.sh'
fi
scripts/workflow/install-tools.sh
npm ci --ignore-scripts
npm run prebuild
npm run check:package

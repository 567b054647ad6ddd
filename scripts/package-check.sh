#!/usr/bin/env bash
# Checks the packed package as a user would get it. Packs the build that is there, without the
# scripts that would make a new one, because tests and examples may be reading it.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p temp
rm -f temp/*.tgz
npm pack --silent --ignore-scripts --pack-destination temp
npx --no -- publint --strict temp/*.tgz
npx --no -- attw temp/*.tgz --profile esm-only

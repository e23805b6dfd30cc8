#!/usr/bin/env bash
# Runs unmodified SDKs of other people against a fresh sandbox. Needs Node.js 20; the SDKs of npm are installed into .cache in the
# versions of package-lock.json; "install" does no more than that, and fetches the SDK for Go, which is in a module of its own.
# HIKYAKU is the program to run; it is compiled when empty.
set -euo pipefail
cd "$(dirname "$0")/../.."
cache=$PWD/.cache/sdk
mkdir -p "$cache"
if ! cmp -s test/sdk/package-lock.json "$cache/installed"; then
  cp test/sdk/package.json test/sdk/package-lock.json "$cache"
  (cd "$cache" && npm ci --ignore-scripts --no-audit --no-fund --silent)
  cp test/sdk/package-lock.json "$cache/installed"
fi
(cd test/sdk/testdata/golang && go mod download)
[ "${1:-}" != install ] || exit 0
cp test/sdk/smoke.mjs "$cache"
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
program=${HIKYAKU:-$work/hikyaku}
[ -n "${HIKYAKU:-}" ] || go build -o "$program" ./cmd/hikyaku
# One of the SDKs reads the first change of a payload only.
"$program" serve --sandbox --data "$work/data" --listen 127.0.0.1:0 --control 127.0.0.1:0 --webhook-batch 1 >"$work/banner" 2>"$work/log" &
server=$!
for _ in $(seq 200); do
  grep -qs 'is ready' "$work/banner" && break
  sleep 0.05
done
set -a
eval "$("$program" env --data "$work/data")"
set +a
(cd "$cache" && node --test smoke.mjs) || { tail -20 "$work/log" >&2; exit 1; }
(cd test/sdk/testdata/golang && go test -count=1 ./...) || { tail -20 "$work/log" >&2; exit 1; }

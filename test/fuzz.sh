#!/usr/bin/env bash
# Runs every fuzz target of the module for the given time (30s by default), eight at once, and fails if any of them fails.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

run() {
  local file=$1 name=$2 dir
  dir=./$(dirname "$file")
  if go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 100x -parallel 1 "$dir" >"$logs/$name" 2>&1; then
    echo "ok   $dir $name"
  else
    echo "FAIL $dir $name"
    cat "$logs/$name"
    touch "$logs/failed"
  fi
}

# Compile once, so that two targets of a package do not both spend their time on it.
git ls-files '*_test.go' | xargs grep -l '^func Fuzz' | xargs -n1 dirname | sort -u | sed 's|^|./|' |
  xargs go test -run '^$' >/dev/null

while IFS=: read -r file name; do
  while [ "$(jobs -rp | wc -l)" -ge 8 ]; do wait -n || true; done
  run "$file" "$name" &
done < <(git ls-files '*_test.go' | xargs grep -oE '^func Fuzz[A-Za-z0-9_]+' | sed 's/func //')
wait
[ ! -e "$logs/failed" ]

#!/usr/bin/env bash
# Runs every fuzz target of the module for the given time (30s by default), eight at once, and fails if any of them fails.
#
# "go test -fuzz" would instrument the standard library, SQLite and NATS as well, and link a program for every target: ten minutes of a
# processor. Here the module's own code alone guides the search, and a package is linked once.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
module=$(go list -m)
corpus=$(go env GOCACHE)/fuzz

build() {
  go test -c -vet=off -gcflags="$module/...=-d=libfuzzer" -o "$work/$1/test" "./$1"
}

run() {
  local dir=$1 name=$2
  if (cd "$dir" && "$work/$dir/test" -test.run '^$' -test.fuzz "^$name\$" -test.fuzztime "$time" -test.parallel 1 -test.fuzzminimizetime 100x \
    -test.fuzzcachedir "$corpus/$module/$dir") >"$work/$dir/$name" 2>&1; then
    echo "ok   $dir $name: $(sed -n 's/^fuzz: elapsed: .*, execs: \([0-9]*\) .*/\1/p' "$work/$dir/$name" | tail -1) tries"
  elif tail -n 3 "$work/$dir/$name" | grep -q '^    context deadline exceeded$'; then
    echo "ok   $dir $name: the time was over while Go waited for its worker" # no input failed: that would be written down
  else
    echo "FAIL $dir $name"
    cat "$work/$dir/$name"
    touch "$work/failed"
  fi
}

targets=$(git ls-files '*_test.go' | xargs grep -oE '^func Fuzz[A-Za-z0-9_]+' | sed -E 's|/[^/]*:func | |')
for dir in $(cut -d' ' -f1 <<<"$targets" | uniq); do build "$dir"; done
while read -r dir name; do
  while [ "$(jobs -rp | wc -l)" -ge 8 ]; do wait -n || true; done
  run "$dir" "$name" &
done <<<"$targets"
wait
[ ! -e "$work/failed" ]

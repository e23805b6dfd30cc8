#!/usr/bin/env bash
# Runs the Postman collections without Postman, each against a fresh sandbox of its own. Needs Node.js; newman is installed
# into .cache in the version below when it is missing; "install" does no more than that. Other arguments are names of collections;
# none means all. HIKYAKU is the program to run; it is compiled when empty.
set -euo pipefail
cd "$(dirname "$0")/.."
NEWMAN=6.2.2
cache=$PWD/.cache
if ! [ -x "$cache/newman/node_modules/.bin/newman" ] || [ "$(cat "$cache/newman/version" 2>/dev/null)" != "$NEWMAN" ]; then
  npm install --prefix "$cache/newman" "newman@$NEWMAN" --no-audit --no-fund --silent
  echo "$NEWMAN" >"$cache/newman/version"
fi
[ "${1:-}" != install ] || exit 0
work=$(mktemp -d)
pids=()
stop() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  pids=()
}
trap 'stop; rm -rf "$work"' EXIT
program=${HIKYAKU:-$work/hikyaku}
[ -n "${HIKYAKU:-}" ] || go build -o "$program" ./cmd/hikyaku

# until_true tries a command for ten seconds.
until_true() {
  for _ in $(seq 100); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.1
  done
  echo "not true within ten seconds: $*" >&2
  return 1
}

run() {
  local name=$1 data=$work/$1
  "$program" serve --sandbox --data "$data" --listen 127.0.0.1:0 --control 127.0.0.1:0 --no-link-previews >"$data.log" 2>&1 &
  pids+=($!)
  until_true grep -q "is ready" "$data.log" || { cat "$data.log" >&2; return 1; }
  "$program" echo --data "$data" --listen 127.0.0.1:0 >/dev/null 2>"$data.echo" &
  pids+=($!)
  until_true grep -q "receiving" "$data.echo"
  eval "$("$program" env --data "$data")"
  local callback
  callback=$(sed -n 's/^receiving webhooks on //p' "$data.echo")
  "$cache/newman/node_modules/.bin/newman" run "postman/$name.postman_collection.json" --working-dir postman \
    --environment postman/hikyaku.postman_environment.json --reporters cli --reporter-cli-no-banner --bail \
    --env-var "Base-URL=$BASE_URL" --env-var "Control-URL=$CONTROL_URL" --env-var "Callback-URL=$callback" \
    --env-var "Version=$GRAPH_VERSION" --env-var "User-Access-Token=$TOKEN" --env-var "App-ID=$APP_ID" \
    --env-var "App-Secret=$APP_SECRET" --env-var "Verify-Token=$VERIFY_TOKEN" --env-var "Business-ID=$BUSINESS_ID" \
    --env-var "WABA-ID=$WABA_ID" --env-var "Phone-Number-ID=$PHONE_NUMBER_ID" --env-var "Recipient-Phone-Number=$USER_PHONE" \
    >"$data.out" || { cat "$data.out"; return 1; }
  grep -E "│ +(requests|assertions)" "$data.out" | sed "s/^/$name /"
  stop
}

if [ $# -eq 0 ]; then
  set -- $(cd postman && ls *.postman_collection.json | sed 's/\.postman_collection\.json//')
fi
for name in "$@"; do run "$name"; done

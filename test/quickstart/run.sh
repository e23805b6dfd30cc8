#!/usr/bin/env bash
# From a clone in a clean folder to the first delivered message: at most five minutes. With nothing compiled before, unless
# "warm" is given; modules come from the module cache where they are there already.
set -euo pipefail
limit=300
repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
started=$SECONDS

git clone -q "$repository" "$folder/hikyaku"
cd "$folder/hikyaku"
[ "${1:-cold}" = warm ] || export GOCACHE=$folder/cache
go build -o "$folder/bin" ./cmd/hikyaku
built=$((SECONDS - started))

"$folder/bin" serve --sandbox --data "$folder/data" --listen 127.0.0.1:0 --control 127.0.0.1:0 >"$folder/banner" 2>"$folder/log" &
server=$!
for _ in $(seq 200); do
	grep -qs 'is ready' "$folder/banner" && break
	sleep 0.05
done
eval "$("$folder/bin" env --data "$folder/data")"
curl -fsS "$BASE_URL/v23.0/$PHONE_NUMBER_ID/messages" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
	-d '{"messaging_product":"whatsapp","to":"'"$USER_PHONE"'","type":"text","text":{"body":"First."}}' >/dev/null
curl -fsS -X POST "$CONTROL_URL/control/v1/idle" >/dev/null
curl -fsS "$CONTROL_URL/control/v1/users/${USER_PHONE#+}/messages" | grep -q '"body":"First."'

took=$((SECONDS - started))
echo "from clone to delivered message: ${took} s, ${built} s of them compiling"
[ "$took" -le "$limit" ]

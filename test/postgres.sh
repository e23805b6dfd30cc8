#!/bin/sh
# Starts a temporary PostgreSQL on a free loopback port, runs the given command with HIKYAKU_TEST_POSTGRES set to its
# address, and stops it again:
#
#	test/postgres.sh go test ./internal/store/...
#
# PostgreSQL's programs are looked for in $PG_BIN, the PATH and Debian's folders. The server refuses to run as root: then it
# runs as $PG_USER (postgres, else nobody). The exit status is the command's; 77 when there is no PostgreSQL.
set -eu

[ $# -gt 0 ] || { echo "usage: $0 command [args…]" >&2; exit 2; }

bin=${PG_BIN:-}
if [ -z "$bin" ]; then
	if p=$(command -v initdb 2>/dev/null); then
		bin=$(dirname "$p")
	else
		for d in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin /opt/homebrew/opt/postgresql@*/bin; do
			[ -x "$d/initdb" ] && bin=$d
		done
	fi
fi
[ -n "$bin" ] && [ -x "$bin/initdb" ] || { echo "$0: no PostgreSQL found; set PG_BIN" >&2; exit 77; }

dir=$(mktemp -d "${TMPDIR:-/tmp}/hikyaku-pg.XXXXXX")
as=
if [ "$(id -u)" = 0 ]; then
	as=${PG_USER:-postgres}
	id "$as" >/dev/null 2>&1 || as=nobody
	chown "$as" "$dir"
fi

# run executes a command as the server's user, who may not enter the current directory.
run() {
	if [ -n "$as" ]; then
		(cd "$dir" && setpriv --reuid "$as" --regid "$(id -g "$as")" --clear-groups env HOME="$dir" "$@")
	else
		"$@"
	fi
}

stop() {
	run "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || :
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

run "$bin/initdb" -D "$dir/data" -U hikyaku -A trust -E UTF8 --no-sync >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }

# Another process may take the port between the look and the start: then the next one is tried.
port=${PG_PORT:-54320}
tries=0
until run "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/log" -w -t 30 start \
	-o "-h 127.0.0.1 -p $port -k $dir -c max_connections=200 -c fsync=${PG_FSYNC:-off}" >>"$dir/log" 2>&1; do
	tries=$((tries + 1))
	[ "$tries" -lt 20 ] || { cat "$dir/log" "$dir/data/log" >&2; exit 1; }
	port=$((port + 1))
done

status=0
HIKYAKU_TEST_POSTGRES="postgres://hikyaku@127.0.0.1:$port/postgres?sslmode=disable" "$@" || status=$?
exit "$status"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds pbxlike and crashes it: crash.sh null|abort|deadlock FOLDER
# Leaves in FOLDER the program, its pbxlike.conf and pbxlike.log, and core-pbxlike-MODE (mode 0600).
# The kernel makes the core where core_pattern is a plain file name, else gdb does (CRASH_BY=gdb asks
# for that). PBXLIKE_THREADS=N holds N more calls, a thread each.
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
mode=${1:-} folder=${2:-}
case $mode in
null | abort | deadlock) ;;
*) folder= ;;
esac
[ -n "$folder" ] || { echo "usage: crash.sh null|abort|deadlock FOLDER" >&2; exit 2; }

mkdir -p "$folder"
cd "$folder"
core=core-pbxlike-$mode
dump=dump.$$
rm -f "$core"
${CC:-cc} -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -g -O1 -pthread -Wl,--build-id \
	-o pbxlike "$here"/*.c -lcrypto
cp "$here/pbxlike.conf" pbxlike.conf
chmod 600 pbxlike.conf

# A hung pbxlike prints "stuck PID"; ends when it was sent SIGABRT, or when it is no more.
abort_when_stuck() {
	while kill -0 "$1" 2>/dev/null; do
		pid=$(sed -n 's/^stuck \([0-9]*\)$/\1/p' "$dump.out" 2>/dev/null)
		[ -z "$pid" ] || { kill -ABRT "$pid"; return; }
		sleep 0.1
	done
}

by_kernel() {
	[ "${CRASH_BY:-kernel}" = kernel ] || return 1
	case $(cat /proc/sys/kernel/core_pattern) in
	'' | '|'* | */*) return 1 ;;
	esac
	ulimit -c unlimited 2>/dev/null || return 1
	mkdir "$dump"
	(cd "$dump" && exec ../pbxlike "$mode" ../pbxlike.conf) >"$dump.out" 2>&1 &
	abort_when_stuck $!
	wait $! 2>/dev/null || true
	[ ! -f "$dump/pbxlike.log" ] || mv "$dump/pbxlike.log" .
	for file in "$dump"/*; do
		[ ! -f "$file" ] || mv "$file" "$core"
	done
	rmdir "$dump"
	[ -f "$core" ]
}

by_gdb() {
	: >"$dump.out"
	DEBUGINFOD_URLS='' gdb -nx -batch -iex 'set auto-load no' -ex 'set startup-with-shell off' \
		-ex 'handle SIGPIPE nostop noprint' -ex run -ex "generate-core-file $core" -ex kill \
		--args "$PWD/pbxlike" "$mode" pbxlike.conf >"$dump.out" 2>"$dump.err" </dev/null &
	abort_when_stuck $!
	wait $! || true
	[ -f "$core" ]
}

made=
if by_kernel; then made="the kernel"; elif by_gdb; then made=gdb; fi
if [ -z "$made" ]; then
	echo "crash.sh: no core was made" >&2
	cat "$dump".* >&2
	rm -f "$dump".*
	exit 1
fi
rm -f "$dump".*
chmod 600 "$core"
echo "$folder/$core, made by $made"

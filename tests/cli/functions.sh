# SPDX-License-Identifier: Apache-2.0
# For the scripts beside this one: source it, then say "expect NAME STATUS COMMAND…" or ok/not_ok. The
# runner sets CORESCRUB and B; $work is a folder of the test's own that goes with it.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
B=${B:-$top/build}
CORESCRUB=${CORESCRUB:-$top/build/corescrub}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

ok() { echo "ok - $1"; }
not_ok() {
	echo "not ok - $1"
	bad=1
}
# check NAME COMMAND…: passes if the command does
check() {
	test_name=$1
	shift
	if "$@" >"$work/.check" 2>&1; then ok "$test_name"; else
		not_ok "$test_name"
		tail -n 20 "$work/.check"
	fi
}
# expect NAME STATUS COMMAND…: passes if the command exits so; its output is in $work/.out and .err
expect() {
	test_name=$1 wanted_status=$2
	shift 2
	"$@" >"$work/.out" 2>"$work/.err" </dev/null
	status=$?
	if [ "$status" = "$wanted_status" ]; then ok "$test_name"; else
		not_ok "$test_name: exit $status instead of $wanted_status"
		tail -n 10 "$work/.err"
	fi
}
finish() { exit "$bad"; }

# The example's core for a mode (null, abort, deadlock), made once in a run of all tests.
example_core() {
	shared=$B/tests/example
	mkdir -p "$shared"
	if [ ! -f "$shared/core-pbxlike-$1" ]; then
		"$top/examples/pbxlike/crash.sh" "$1" "$shared" >"$work/crash.log" 2>&1 ||
			{ cat "$work/crash.log" >&2; return 1; }
	fi
	echo "$shared/core-pbxlike-$1"
}

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every test and ends with "N passed, N failed". Each line of a failing test is shown.
# B is the build folder. A name as argument runs only the tests whose name holds it.
set -u
cd "$(dirname "$0")/.."
B=$PWD/${B:-build}
only=${1:-}
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CORESCRUB=$B/corescrub
export B CORESCRUB LC_ALL=C.UTF-8 SANITIZE="${SANITIZE:-}"
export XDG_STATE_HOME="$work/state" XDG_CONFIG_HOME="$work/config"

wanted() { case "$1" in *"$only"*) return 0 ;; esac; return 1; }
good() { passed=$((passed + ${2:-1})); echo "ok   $1"; }
bad() { failed=$((failed + ${2:-1})); echo "FAIL $1"; }

# A test whose own lines count: cmocka's closing lines, or "ok - …" and "not ok - …".
counted() {
	name=$1
	shift
	start=$(date +%s)
	"$@" >"$work/out" 2>&1 </dev/null
	status=$?
	spent=$(($(date +%s) - start))
	p=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test(s)\.$/\1/p' "$work/out" | tail -n 1)
	f=$(sed -n 's/^\[  FAILED  \] .*: \([0-9]*\) test(s).*/\1/p' "$work/out" | tail -n 1)
	p=$((${p:-0} + $(grep -ac '^ok - ' "$work/out")))
	f=$((${f:-0} + $(grep -ac '^not ok - ' "$work/out")))
	[ "$status" = 0 ] || [ "$f" -gt 0 ] || f=1
	[ "$((p + f))" -gt 0 ] || { [ "$status" = 0 ] && p=1; }
	passed=$((passed + p))
	failed=$((failed + f))
	if [ "$f" -gt 0 ]; then
		echo "FAIL $name ($p passed, $f failed, exit $status, ${spent}s)"
		grep -av -e '^\[ *\(RUN\|OK\) *\]' -e '^ok - ' "$work/out" | tail -n 60 | sed 's/^/     /'
	else
		echo "ok   $name ($p, ${spent}s)"
	fi
}

golden() {
	# cmd is run by sh in a copy of its folder; expect.out is its output, expect.<file> a file's content
	rm -rf "$work/case" && cp -r "$1" "$work/case" && chmod -R u+w "$work/case"
	printf '0123456789abcdef0123456789abcdef' >"$work/case/key" && chmod 600 "$work/case/key"
	(cd "$work/case" && sh ./cmd >out 2>err </dev/null; echo $? >status)
	for expected in "$work/case"/expect.*; do
		file=${expected##*/expect.}
		cmp -s "$expected" "$work/case/$file" && continue
		diff -a "$expected" "$work/case/$file" | head -n 20
		return 1
	done
}

for test in "$B"/tests/unit/test_*; do
	case "$test" in *.o | *.d) continue ;; esac
	wanted "${test##*/}" && counted "unit ${test##*/}" "$test"
done
wanted layers && counted "layers" tests/layers.sh
wanted rules && counted "rules' examples" "$CORESCRUB" rules test
for case in tests/golden/*/; do
	[ -f "$case/cmd" ] || continue
	name=$(basename "$case")
	wanted "golden $name" || continue
	if golden "$case" >"$work/diff" 2>&1; then good "golden $name"; else
		bad "golden $name"
		sed 's/^/     /' "$work/diff"
	fi
done
for test in tests/cli/*.sh; do
	[ -x "$test" ] || continue	# libraries of functions are not executable
	wanted "$test" && counted "cli ${test##*/}" "$test"
done
for test in "$B"/tests/fuzz/fuzz_*; do
	case "$test" in *.o | *.d) continue ;; esac
	[ -x "$test" ] || continue
	name=${test##*/fuzz_}
	wanted "fuzz_$name" && counted "fuzz corpus $name" "$test" tests/fuzz/corpus/"$name"
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# report on cores of other programs: stripped ones of Debian, several at once, without their program.
. "$(dirname "$0")/functions.sh"
cd "$work" || exit 1

# a core of a running process, made by gdb where the kernel can't
core_of() { # NAME COMMAND…
	name=$1
	shift
	"$@" >/dev/null 2>&1 &
	pid=$!
	sleep 0.5
	gdb -nx -batch -p "$pid" -ex "generate-core-file $name" >/dev/null 2>&1
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	test -s "$name"
}
check "a core of sleep" core_of core.sleep sleep 100
check "a core of python3" core_of core.python /usr/bin/python3 -c 'import time; time.sleep(100)'
for name in sleep python; do
	expect "$name: report" 0 "$CORESCRUB" report -o "$name.report" "core.$name"
	check "$name: frames" grep -q '^#0 ' "$name.report/core.$name-brief.txt"
	check "$name: names what has no symbols" grep -qi 'symbols' "$name.report/core.$name-info.txt"
	check "$name: the package is sound" "$top/tests/cli/package.py" "$name.report/core.$name.tar.gz"
done
for i in 1 2 3 4 5 6 7 8; do ln core.sleep "core.$i"; done
expect "eight cores at once" 0 "$CORESCRUB" report -o eight --jobs 4 core.1 core.2 core.3 core.4 core.5 \
	core.6 core.7 core.8
check "eight packages" sh -c 'test "$(ls eight/*.tar.gz | wc -l)" = 8'
rm -rf eight
expect "a pattern finds them" 0 "$CORESCRUB" report -o pattern 'core.[1-3]'
check "three packages" sh -c 'test "$(ls pattern/*.tar.gz | wc -l)" = 3'
cp /usr/bin/sleep here-today
check "a core of a program that will go" core_of core.gone ./here-today 100
rm here-today
expect "a core without its program" 0 "$CORESCRUB" report -o gone core.gone
check "says what is missing" grep -q -e '--exe' .err
check "and still shows threads" grep -q '^Thread 1 ' gone/core.gone-brief.txt
printf 'from 203.0.113.9\n' >note.txt
export SOURCE_DATE_EPOCH=1795400000
"$CORESCRUB" keygen --token-key -o key
for i in 1 2; do
	expect "with key, case and time: $i" 0 "$CORESCRUB" report --key-file key --case c --attach note.txt \
		-o "same$i" core.sleep
done
check "the same bytes" cmp same1/core.sleep.tar.gz same2/core.sleep.tar.gz
# one thread, several, and several of which findings want one order
example=$(example_core null) || not_ok "the example crashes"
n=0
for how in '--jobs 1' '--jobs 4' '--jobs 4 --findings found'; do
	n=$((n + 1))
	expect "example, $how" 0 env XDG_STATE_HOME="$work/state$n" "$CORESCRUB" report --key-file key --case c \
		$how -o "by$n" "$example"
	grep -v '^created' "state$n/corescrub/c.map" >"map$n"
done
check "the same files" sh -c 'diff -r by1 by2 && diff -r by1 by3'
check "the same private map" sh -c 'cmp map1 map2 && cmp map1 map3'
cp core.sleep "core.$(uname -n):1"
expect "a core named by host and with a colon" 0 "$CORESCRUB" report -o named "core.$(uname -n):1"
check "neither stands in a name" sh -c '! ls named | grep -e : -e "$(uname -n)"'
check "host does" test -s named/core.host-1-full.txt
finish

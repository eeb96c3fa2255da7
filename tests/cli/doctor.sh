#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doctor names what makes a report useless or poor. What the kernel's settings decide is in
# tests/unit/test_doctor.c, which can seed them.
. "$(dirname "$0")/functions.sh"
cd "$work" || exit 1
minimal=$top/build-deps/gdb-minimal/usr/bin/gdb

# says NAME VERDICT ID WORDS: the last run's table has such a row
says() { check "$1" grep -q "^$2  *$3 .*$4" .out; }
doctor() { "$CORESCRUB" doctor "$@"; }
build() { # [OPTION…]: a program and its library, with build ids
	"${CC:-cc}" -g -O0 "$@" -shared -fPIC -Wl,--build-id -o libplain.so "$top/tests/fixtures/lib_plain.c" &&
		"${CC:-cc}" -g -O0 "$@" -Wl,--build-id -Wl,-rpath,"$PWD" -o uses_lib \
			"$top/tests/fixtures/uses_lib.c" ./libplain.so
}
core_of() { # NAME: of the program as it waits
	./uses_lib &
	pid=$!
	sleep 0.3
	gdb -nx -batch -p "$pid" -ex "generate-core-file $1" >/dev/null 2>&1
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	test -s "$1"
}

check "a program" build
sh -c 'ulimit -c 0; exec ./uses_lib' &
stopped=$!
sleep 0.2
expect "a process that may leave no core" 3 doctor "$stopped"
says "names its limit" useless core-limit 'the process: limit 0'
check "says what to do" grep -q "prlimit --pid $stopped --core=unlimited" .out
kill "$stopped"
wait "$stopped" 2>/dev/null
expect "a shell that may leave no core" 3 sh -c 'ulimit -c 0; "$CORESCRUB" doctor; exit $?'
says "names its limit" useless core-limit 'this shell: limit 0'
expect "a limit that cuts" 0 sh -c 'ulimit -S -c 1000; "$CORESCRUB" doctor; exit $?'
says "names the limit" poor core-limit 'cut at'

expect "a core" 1 doctor nothing-here
check "made" core_of core.good
expect "a core with all that it needs" 0 doctor core.good
says "the core is whole" good core 'whole, 1 threads'
says "its program is the one" good core-program 'build that crashed'
says "symbols of the program" good program-symbols 'has debug symbols'
says "not optimised" good optimisation 'without'
says "gdb" good gdb 'GNU gdb'
says "and its Python" good gdb-python 'has Python'
expect "as JSON" 0 doctor --json core.good
check "it is sound" python3 -c 'import json, sys
d = json.load(sys.stdin)
assert d["useful"] is True
assert all(set(r) <= {"id", "verdict", "found", "do"} and r["found"] for r in d["checks"])
assert {"core", "core-program", "gdb", "confinement", "disk"} <= {r["id"] for r in d["checks"]}' <.out
expect "JSON tells it is useless too" 3 doctor --json --gdb ./no-gdb core.good
check "in words" grep -q '"useful": false' .out

expect "no gdb" 3 doctor --gdb ./no-gdb core.good
says "names it" useless gdb 'no-gdb: No such file'
expect "gdb without Python" 0 doctor --gdb "$minimal" core.good
says "names it" poor gdb-python 'no Python'
size=$(stat -c %s core.good)
head -c $((size - size / 4)) core.good >core.cut
expect "a core cut short" 3 doctor core.cut
says "names it" useless core '\(truncated: the crashing\|without threads\)'
head -c 100 core.good >core.stub
expect "a core of which nothing is left" 3 sh -c '"$CORESCRUB" doctor core.stub || exit 3'

mv libplain.so libplain.whole
strip -o libplain.so libplain.whole
expect "a library without symbols" 0 doctor core.good
says "names it" poor module-symbols 'libplain.so has no debug symbols'
check "and the file that would help" grep -q '/usr/lib/debug/.build-id/../.*\.debug' .out
strip uses_lib
expect "a stripped program" 3 doctor uses_lib
says "names it" useless program-symbols 'uses_lib is stripped'
expect "a stripped program of a package" 3 doctor /bin/sleep
check "names the package that has its symbols" grep -q 'coreutils-dbgsym=' .out
check "another build" build -O2 -DOTHER
expect "a core of another build" 3 doctor core.good
says "names it" useless core-program 'another build id'
says "and its modules" poor core-modules 'are another build'
expect "an optimised program" 0 sh -c 'ulimit -c unlimited; "$CORESCRUB" doctor uses_lib; exit $?'
says "names it" note optimisation 'compilation units are optimised'
rm uses_lib
expect "a program that is gone" 3 doctor core.good
says "names it" useless core-program 'not there any more'
check "without a build id" "${CC:-cc}" -g -Wl,--build-id=none -o bare "$top/tests/fixtures/nullptr.c"
expect "a program without one" 0 sh -c 'ulimit -c unlimited; "$CORESCRUB" doctor bare; exit $?'
says "names it" poor build-id 'no build id'
expect "what is no program" 3 doctor "$top/README.md"
says "names it" useless program 'no 64-bit ELF'

check "a kernel without Landlock" "${CC:-cc}" -o without_landlock "$top/tests/fixtures/without_landlock.c" -lseccomp
if [ "$(id -u)" = 0 ]; then wanted='useless' status=3; else wanted='note' status=0; fi
expect "there" "$status" ./without_landlock "$CORESCRUB" doctor core.good
says "names what is missing" "$wanted" confinement 'missing: landlock, network namespace'
finish

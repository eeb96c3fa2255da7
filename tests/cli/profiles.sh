#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A program's profile adds its own tables to info and locks, and never costs anything else.
. "$(dirname "$0")/functions.sh"
cd "$work" || exit 1
core=$(example_core null)
minimal=$top/build-deps/gdb-minimal/usr/bin/gdb
shipped=$B/profiles

report() { rm -rf out && "$CORESCRUB" report -q --no-map -o out "$@" "$core"; }
info() { grep -q "$1" out/*-info.txt; }
# a profile of the test's own, ahead of the shipped one: PROFILE takes yaml, script.py what it runs
profile() { mkdir -p mine && printf 'profile: mine\nprogram: pbx*\ninfo: [section.py, script.py]\n' >mine/p.yaml &&
	cp "$shipped/section.py" mine/ && cat >mine/script.py; }

expect "the example's report" 0 report
check "its profile's table" info '^call = {id = 0, user = "alice", caller = {number = "\[phone~'
check "a codec that was never agreed on" info 'callee = {number = "\[phone~[a-z2-7]*\]", codec = 0x0}'
check "no number stays" sh -c '! grep -q 4155550 out/*-info.txt'
printf 'profile: other\nprogram: pbxlike\n' >other.yaml
"$CORESCRUB" keygen --token-key -o key
expect "with a key" 0 report --key-file key --case c
mv out with-profile
expect "without a profile" 0 report --key-file key --case c --profile other.yaml
for text in thread1 brief full; do
	check "$text is the same" cmp "$(ls with-profile/*-$text.txt)" "$(ls out/*-$text.txt)"
done
check "and there is no table" sh -c '! grep -q "^Profile" out/*-info.txt'

profile <<'E2'
@section("Gone")
def gone():
    print("%s" % variable("no_such_variable"))


@section("Broken")
def broken():
    row("trunk", name=lambda: text(gdb.parse_and_eval("main::pbx")["no_such_field"]), one=lambda: "1")
    raise gdb.MemoryError("nothing there")


@section("Endless")
def endless():
    for n in limited(iter(int, 1)):
        pass


@section("There")
def there():
    print("users = %s" % number(gdb.parse_and_eval("main::pbx")["config"]["n_users"]))
E2
expect "a profile whose parts fail" 0 report --profile mine
check "names what is missing" info '^(not here: no variable no_such_variable)$'
check "keeps what of a row is there" info '^trunk = {name = <not here>, one = 1}$'
check "says why it ended" info '^(not here: nothing there)$'
check "cuts what goes on and on" info '^(cut: more than 20000 entries)$'
check "and shows the rest" info '^users = 3$'

profile <<'E2'
print("before", flush=True)
import os
os._exit(3)
E2
expect "a script that ends gdb" 0 report --profile mine
check "costs its own table" info '^(nothing: gdb has no Python, or the profile.s script failed)$'
check "and no other text" test -s out/core-pbxlike-null-full.txt
profile <<'E2'
while True:
    pass
E2
expect "a script that never ends" 0 report --profile mine --timeout 8
check "costs its own table" info '^(nothing: '
expect "a gdb without Python" 0 report --gdb "$minimal"
check "says so" info '^(nothing: gdb has no Python'

# the folder of the program's configuration, as the core would name it
mkdir -p etc/pbx
printf '[trunk]\nsecret = carrier\n' >etc/pbx/trunk.conf
profile <<E2
print("config_folder = \"$PWD/etc/pbx\"")
print('name = "carrier"')
E2
expect "a folder that is not like the profile's" 0 report --profile mine
check "teaches nothing" info '^name = "carrier"$'
printf "config-folder: '/*/pbx'\n" >>mine/p.yaml
expect "the program's configuration" 0 report --profile mine
check "its secrets go" sh -c '! grep -q "carrier" out/*-info.txt'
expect "with --no-learn" 0 report --profile mine --no-learn
check "they stay" info '^name = "carrier"$'
age-keygen -o identity 2>/dev/null
expect "handed off" 0 report --profile mine --with-config --encrypt-to "$(age-keygen -y identity)"
check "as it is" sh -c 'age -d -i identity out/*.age | tar --zstd -xO --wildcards "*/etc/pbx/trunk.conf" | cmp - etc/pbx/trunk.conf'
if [ "$(id -u)" = 0 ]; then
	cp "$core" core-of-another && chown 65534:65534 core-of-another && chmod 700 etc
	own=$core core=core-of-another
	expect "a core of somebody who can't read it" 0 report --profile mine
	check "is told nothing about it" info '^name = "carrier"$'
	expect "nor handed it" 1 report --profile mine --with-config --encrypt-to "$(age-keygen -y identity)"
	core=$own
fi

profile </dev/null
chmod go+w mine/script.py
expect "a script that others can write" 2 report --profile mine
check "is named" grep -q 'others can write to mine/script.py' .err
chmod go-w mine/script.py
printf 'if True:\n    pass\n end \n' >mine/script.py
expect "a line that would end gdb's python" 2 report --profile mine
check "is named with its line" grep -q 'mine/script.py:3:1: ' .err
printf 'profile: mine\nprogram: pbx*\nscript: x.py\n' >mine/p.yaml
expect "a key nobody knows" 2 report --profile mine
check "is named with its line" grep -q 'mine/p.yaml:3:1: ' .err
printf 'profile: mine\nprogram: pbx*\ninfo: ../section.py\n' >mine/p.yaml
expect "a script of another folder" 2 report --profile mine
check "nothing was written" sh -c '! test -e out'

# three mutexes in a circle, and where each was asked for
core=$(example_core deadlock)
expect "a deadlock" 0 report
check "is named first" sh -c 'sed -n 3p out/*-locks.txt | grep -q "^Deadlock: 3 threads wait for each other in a circle\.$"'
for function in leg_wait ami_list_calls cdr_insert; do
	check "$function with its line" grep -q "^  thread [0-9]* (LWP [0-9]*) in $function () at [^ ]*\.c:[0-9]* waits for the mutex at 0x[0-9a-f]* that thread [0-9]* " out/core-pbxlike-deadlock-locks.txt
done
finish

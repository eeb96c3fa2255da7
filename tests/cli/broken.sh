#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Broken input to report: each ends with a clear message, the right exit code, an untouched folder.
. "$(dirname "$0")/functions.sh"
core=$(example_core null) || { not_ok "the example crashes"; finish; }
cd "$work" || exit 1
mkdir out fake
for mode in hang die fail flood silent; do
	${CC:-cc} -O1 -o "fake/$mode" "$top/tests/fixtures/fakegdb.c"
done
patched() { # FILE OFFSET BYTES: a copy of the core with other bytes at an offset
	cp --sparse=always "$core" "$1"
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
: >empty
echo 'not a core' >text
mkfifo fifo
mkdir folder
head -c 20 "$core" >short
patched class32 4 '\001'
patched bigendian 5 '\002'
patched machine 18 '\377\177'
patched phoff 32 '\377\377\377\377\377\377\377\177'
patched phnum 56 '\377\376'
patched type 16 '\002'
head -c 200 "$core" >headers-only
printf 'pack: x\nrules:\n  - id: y\n    nonsense: 1\n' >bad.yaml
head -c 32 /dev/zero >open.key && chmod 644 open.key
head -c 7 /dev/zero >short.key && chmod 600 short.key
mkdir out/there

# broken NAME STATUS WORDS ARGUMENTS…: exit status, a message with these words, nothing new in out
broken() {
	name=$1 wanted=$2 words=$3
	shift 3
	before=$(ls -A out)
	"$CORESCRUB" report --no-map -o out/r "$@" >stdout 2>stderr </dev/null
	got=$?
	if [ "$got" != "$wanted" ]; then
		not_ok "$name: exit $got instead of $wanted"
		cat stderr
	elif ! grep -q -e "$words" stderr; then
		not_ok "$name: the message does not say '$words'"
		cat stderr
	elif [ "$(ls -A out)" != "$before" ]; then
		not_ok "$name: something was written"
		rm -rf out/r
	else
		ok "$name"
	fi
}
broken "no such file" 1 'No such file' missing
broken "an empty file" 1 'empty' empty
broken "a text" 1 'error' text
broken "a folder" 1 'regular file' folder
broken "a fifo" 1 'regular file' fifo
broken "a program" 1 'error' "$CORESCRUB"
broken "a cut header" 1 'error' short
broken "32 bits" 1 'error' class32
broken "big endian" 1 'error' bigendian
broken "another machine" 1 'error' machine
broken "headers beyond the end" 1 'error' phoff
broken "too many headers" 1 'error' phnum
broken "no core by its type" 1 'error' type
broken "headers without content" 1 'error' headers-only
broken "a good and a bad one" 1 'error' "$core" text
broken "a pattern without match" 1 'no core matches' 'nothing-*'
broken "no core at all" 2 'needs a core'
broken "an unknown option" 2 'no such option' --frobnicate "$core"
broken "an option without its argument" 2 'needs an argument' "$core" --timeout
broken "a number out of range" 2 'whole number' --timeout=0 "$core"
broken "an unknown policy" 2 'policy' --policy none "$core"
broken "a bad rule" 2 'bad.yaml:4:5' --rules bad.yaml "$core"
broken "a key that others can read" 2 'error' --key-file open.key "$core"
broken "a key of another length" 2 'error' --key-file short.key "$core"
broken "an attachment that is not there" 1 'No such file' --attach missing "$core"
broken "a program that is none" 1 'error' --exe text "$core"
broken "no gdb" 1 'missing' --gdb ./missing "$core"
broken "a gdb that hangs" 1 'seconds\|time' --gdb fake/hang --timeout 1 "$core"
broken "a gdb that dies" 1 'gdb' --gdb fake/die "$core"
broken "a gdb that fails" 1 'gdb' --gdb fake/fail "$core"
broken "a gdb that prints 200 MB" 1 'gdb' --gdb fake/flood "$core"
broken "a gdb that prints nothing" 1 'gdb' --gdb fake/silent "$core"
broken "a case with a slash" 2 'case' --case a/b "$core"
expect "an output that exists" 2 "$CORESCRUB" report --no-map -o out/there "$core"
expect "an output in no folder" 1 "$CORESCRUB" report --no-map -o no/folder/r "$core"
if [ "$(id -u)" = 0 ] && mkdir disk && mount -t tmpfs -o size=64k none disk 2>/dev/null; then
	expect "a full disk" 1 "$CORESCRUB" report --no-map -o disk/r "$core"
	check "a full disk keeps nothing" test -z "$(ls -A disk)"
	umount disk
fi
head -c "$(($(stat -c %s "$core") / 2))" "$core" >half
# what the kernel writes first, gdb writes last: a core cut in half may have lost its threads
if readelf -n half 2>/dev/null | grep -q PRSTATUS; then
	expect "a truncated core still makes a report" 0 "$CORESCRUB" report --no-map -o out/half half
	check "and says that it is truncated" grep -q truncated .err
else
	broken "a core that lost its threads" 1 'threads' half
fi
finish

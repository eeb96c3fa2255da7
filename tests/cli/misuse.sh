#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What people type wrong: each ends with a message that names what was typed, and with nothing written.
. "$(dirname "$0")/functions.sh"
mkdir "$work/stand" && cd "$work/stand" || exit 1
export XDG_STATE_HOME="$work/state"
core=$(example_core null) || exit 1
echo 'a text' >text
# says WORDS: the last message has them
says() { check "says: $1" grep -qF -e "$1" "$work/.err"; }
report() { expect "$1" "$2" "$CORESCRUB" report -o out "$3" "$4" "$5"; }

expect "a program for a core" 1 "$CORESCRUB" report /bin/ls "$core"
says '/bin/ls: a program or library, not an ELF core'
says '--exe'
report "a text for a program" 1 "$core" --exe text
says 'text: not a 64-bit ELF file'
report "a gdb that isn't there" 1 "$core" --gdb ./no-gdb
says "can't run ./no-gdb: No such file"
report "a gdb that isn't in PATH" 1 "$core" --gdb no-gdb
says 'there is no no-gdb'
report "a sysroot that isn't there" 1 "$core" --sysroot nowhere
says "can't open folder nowhere"
report "a sysroot that is a file" 1 "$core" --sysroot text
for verb in core doctor; do
	expect "$verb: a sysroot that isn't there" 1 "$CORESCRUB" $verb "$core" --sysroot nowhere \
		$([ $verb = doctor ] || echo -o out)
done
expect "a report to standard output" 2 "$CORESCRUB" report -o - "$core"
expect "a color that there is not" 2 "$CORESCRUB" scrub --color sometimes text
expect "scrub -o -" 2 "$CORESCRUB" scrub -o - text
check "nothing was made by all of these" sh -c 'test "$(ls)" = text'

report "another program for the core's" 0 "$core" --exe /bin/ls
says '--exe names another build'
rm -rf out
report "the core's own program" 0 "$core" --exe "$(dirname "$core")/pbxlike"
check "no such warning" sh -c '! grep -q "another build" "$0"' "$work/.err"

expect "rules lint takes no file" 2 "$CORESCRUB" rules lint text
says '--rules FILE'
expect "rules list names an unknown id" 1 "$CORESCRUB" rules list no.rule
says 'no rule has the id no.rule'
expect "so does show" 1 "$CORESCRUB" rules show network.ipv4 no.rule
expect "and shows known ones" 0 "$CORESCRUB" rules show network.ipv4

head -c 2000000 /dev/zero >big
expect "a package for an identity" 1 "$CORESCRUB" open -i big text
says 'big is over the limit'
XDG_STATE_HOME=/proc
expect "no place for the private map" 1 "$CORESCRUB" report -o unmapped "$core"
says '--no-map makes none'
check "and no report" test ! -e unmapped
check "the man page is ASCII" sh -c '! "$0" generate man | LC_ALL=C grep -q "[^ -~]"' "$CORESCRUB"
finish

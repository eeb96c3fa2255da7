#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Standard streams that are closed, full, or whose reader is gone; help.
. "$(dirname "$0")/functions.sh"
cd "$work" || exit 1
ulimit -f 20000
echo 'from 203.0.113.9, password=Saffron-Dune-77' >text
core=$(example_core null) || exit 1
program() { "$CORESCRUB" "$@"; }
report() { program report --no-map "$@" "$core"; }

closed() { program scrub text >&-; }
expect "no standard output" 1 closed
check "says so" grep -q 'standard output: Bad file' "$work/.err"
closed_input() { program scrub <&-; }
expect "no standard input" 1 closed_input
check "says so" grep -q 'standard input: Bad file' "$work/.err"
closed_all() { program scrub -o scrubbed text <&- >&- 2>&-; }
expect "none at all: the table can't be printed" 1 closed_all
check "no message is in the file" sh -c 'test "$(wc -l <scrubbed)" = 1 && ! grep -q corescrub: scrubbed'

report_closed() { report -o closed >&- 2>&-; }
expect "a report without standard output" 1 report_closed
report -o open >table 2>&1
check "has the files of another" sh -c 'test -s table && test "$(ls closed)" = "$(ls open)"'
check "no table is in them" sh -c '! grep -rq "distinct$\|^written:" closed --include=*.txt --include=*.json'
check "nor is it changed" program verify closed

# full WORDS…: a verb that prints says that it could not
full() { program "$@" >/dev/full; }
for words in 'rules list' --help 'help scrub' 'scrub --help' 'generate man' 'generate bash' \
	--version 'rules show network.ipv4'; do
	# shellcheck disable=SC2086
	expect "a full disk: $words" 1 full $words
	check "says so" grep -q "can't write standard output" "$work/.err"
done
gone() { { program rules list 2>"$work/.gone"; echo $? >"$work/.status"; } | true; }
gone
check "a reader that is gone: no message" test ! -s "$work/.gone"

check "help VERB is VERB --help" sh -c '"$0" help scrub >one; "$0" scrub --help >two; cmp one two' "$CORESCRUB"
expect "help for no verb" 2 program help nothing
finish

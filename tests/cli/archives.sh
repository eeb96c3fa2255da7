#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An archive with all that can't be scrubbed in it: nothing planted passes, and what stays out is named.
. "$(dirname "$0")/functions.sh"
cd "$work" || exit 1
phone=+14155550123
printf 'phone\t14155550123\nsecret\tBl4ck-Pearl-9-of-Tortuga\n' >planted
text="INVITE sip:$phone@example.com SIP/2.0
secret=Bl4ck-Pearl-9-of-Tortuga"

# nest FILE LEVELS COMMAND: wraps FILE again and again
nest_zip() { for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do zip -q t.zip "$1" && mv t.zip "$1"; done; }
nest_tgz() { for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do tar -czf t.tgz "$1" && mv t.tgz "$1"; done; }

mkdir -p "in/calls/sip:$phone@example.com"
(
	cd in || exit 1
	printf '%s\n' "$text" >plain.log
	printf '%s\n' "$text" >"calls/sip:$phone@example.com/tel:$phone.log"
	printf 'RIFF\044\000\000\000WAVEfmt %s' "$text" >"rec tel:$phone.wav"
	sqlite3 cdr.sqlite3 "create table cdr(src text); insert into cdr values('$phone')"
	zip -q -P letmein enc.zip plain.log
	printf '%s\n' "$text" >nest.zip && nest_zip nest.zip
	printf '%s\n' "$text" >nest.tgz && nest_tgz nest.tgz
	ln -s "/var/spool/monitor/tel:$phone.wav" link
	ln "calls/sip:$phone@example.com/tel:$phone.log" hard
	gzip -cN plain.log >"tel:$phone.log.gz"
	xz -c plain.log >plain.log.xz
	zip -qr plain.zip plain.log "calls/sip:$phone@example.com"
	printf 'about %s\n.\n' "$text" | zip -qz plain.zip >/dev/null
)
tar -C in --owner="user$phone:4711" --pax-option="comment=$phone" --format=pax -czf attachment.tar.gz .
check "the archive holds them" sh -c \
	"! python3 '$top/tests/cli/plants.py' planted attachment.tar.gz >/dev/null"
expect "members are left out" 3 "$CORESCRUB" scrub -o clean.tar.gz attachment.tar.gz
check "an archive is written" test -s clean.tar.gz
check "nothing planted passes" python3 "$top/tests/cli/plants.py" planted clean.tar.gz
cat .out .err >said
check "nor is it said" sh -c '! grep -q -e 4155550123 -e Tortuga said'
check "the sound is named" grep -q 'rec .*\.wav.*audio' said
check "the database is named" grep -q 'cdr.sqlite3.*SQLite database' said
check "the encrypted zip is named" grep -q 'enc.zip.*encrypted' said
check "the nest of zips is named" grep -q 'nest.zip!/.*nested too deeply' said
check "the nest of tars is named" grep -q 'nest.tgz!/.*nested too deeply' said
check "and no more than these" test "$(grep -c 'left out' said)" = 5
tar -tvzf clean.tar.gz >list
check "they are not in it" sh -c '! grep -q -e "rec .*wav" -e sqlite -e enc.zip list'
check "names and link targets have tokens" sh -c \
	'grep -q "link -> /var/spool/monitor/tel:\[phone~" list && grep -q "calls/sip:\[phone~" list'
check "owner and time are dropped" sh -c '! grep -v -q " 0/0 .*1970-01-01\|root/root .*1970-01-01" list'
mkdir out.d && tar -C out.d -xzf clean.tar.gz
check "members open again" sh -c 'cd out.d && xz -dc plain.log.xz | grep -q "sip:\[phone~" &&
	unzip -p plain.zip plain.log | grep -q "secret=\[secret~" && gzip -dc tel*.log.gz | grep -q secret= &&
	cmp hard calls/*/*.log'
check "the gzip header has no name" sh -c '! gzip -lvN out.d/tel*.log.gz | grep -q plain.log'

# a file that can't be scrubbed as a whole
for file in cdr.sqlite3 enc.zip; do
	expect "$file alone is left out" 3 "$CORESCRUB" scrub -o "alone-$file" "in/$file"
	check "and not written" test ! -e "alone-$file"
done
gzip -c in/cdr.sqlite3 >cdr.gz
expect "a compressed database is left out" 3 "$CORESCRUB" scrub -o alone.gz cdr.gz
check "and not written either" test ! -e alone.gz
head -c 100 attachment.tar.gz >cut.tar.gz
expect "a cut archive is left out" 3 "$CORESCRUB" scrub -o cut.out cut.tar.gz
expect "a folder goes on without it" 3 "$CORESCRUB" scrub -o tree in
check "and has the rest" test -s tree/plain.log
check "and nothing planted" python3 "$top/tests/cli/plants.py" planted tree
expect "--pass-binary copies" 0 "$CORESCRUB" scrub --pass-binary -o passed.sqlite3 in/cdr.sqlite3
check "byte for byte" cmp passed.sqlite3 in/cdr.sqlite3
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scrub as a filter and on files.
. "$(dirname "$0")/functions.sh"
cd "$work" || exit 1
"$CORESCRUB" keygen --token-key -o key
check "keygen makes 32 bytes of mode 0600" test "$(stat -c '%s %a' key)" = "32 600"
scrub() { "$CORESCRUB" scrub --key-file key "$@"; }
line='Contact: <sip:alice@203.0.113.9:5060> password=hunter2-Secret'
printf '%s\n' "$line" | scrub >one
check "the address is gone" sh -c '! grep -q 203.0.113.9 one'
check "the password is gone" sh -c '! grep -q hunter2 one'
check "a token stands there" grep -q '\[ip4~[a-z2-7]\{10\}\]:5060' one
scrub <one >two
check "scrub of scrub changes nothing" cmp one two
printf '%s\n' "$line" | scrub >again
check "one key, one token" cmp one again
printf '%s\n' "$line" | "$CORESCRUB" scrub >other
check "no key, another token" sh -c '! cmp -s one other'
printf 'a\0b\r\nc\377d\n\n' >raw && scrub <raw >raw.out
check "other bytes pass as they are" cmp raw raw.out
printf 'no newline at the end 203.0.113.9' | scrub >nonl
check "no newline is added" sh -c 'test "$(tail -c 1 nonl)" = "]"'
LC_ALL=C awk 'BEGIN { srand(7); for (i = 0; i < 5000; i++) printf "%c", int(rand() * 256) }' >noise
{ cat noise; printf ' 203.0.113.9 '; cat noise; } | LC_ALL=C scrub >noise.out
check "a filter passes any bytes" sh -c 'cmp -n 5000 noise noise.out && ! grep -qa 203.0.113.9 noise.out'
printf 'SQLite format 3\0 203.0.113.9' >db
expect "but no database" 3 sh -c "'$CORESCRUB' scrub <db"
: | scrub >nothing
check "empty in, empty out" test ! -s nothing
printf '%s\n' "$line" >one.txt
expect "--check finds in a file" 3 "$CORESCRUB" scrub --check one.txt
expect "--check passes a clean one" 0 "$CORESCRUB" scrub --check one
expect "-o writes a file" 0 "$CORESCRUB" scrub --key-file key -o new one.txt
check "the same as the filter's" cmp new one
expect "-o never overwrites" 2 "$CORESCRUB" scrub -o new one.txt
expect "a missing file" 1 "$CORESCRUB" scrub missing
mkdir -p tree/sub && cp one.txt tree/sub/call-from-sip:+14155550123@example.com.log && cp one.txt tree/b
gzip -c one.txt >tree/c.gz
expect "a folder" 0 "$CORESCRUB" scrub -o tree.out tree
check "keeps its files" test "$(find tree.out -type f | wc -l)" = 3
check "names are scrubbed" sh -c '! find tree.out | grep -q 4155550123'
check "a gz stays one" sh -c 'zcat tree.out/c.gz | grep -q "\[ip4~"'
expect "a folder without -o" 2 "$CORESCRUB" scrub tree
expect "findings are written" 0 "$CORESCRUB" scrub --findings f.jsonl -o third one.txt
check "one JSON a line, no value" sh -c 'python3 -c "
import json
for line in open(\"f.jsonl\"):
    f = json.loads(line)
    assert f[\"line\"] == 1 and f[\"rule\"] and f[\"kind\"]
" && ! grep -q -e 203.0.113.9 -e hunter2 f.jsonl'
printf '%s\nlater password=another-Secret-77\n' "$line" | scrub --stream >streamed
check "--stream scrubs too" sh -c '! grep -q -e hunter2 -e another-Secret streamed'
printf 'Example Corp\n' >words
printf 'a call for Example Corp today\n' | scrub --words words >worded
check "--words go" sh -c '! grep -q "Example Corp" worded'
printf '203.0.113.9\n' >keep
printf '%s\n' "$line" | scrub --keep-words keep >kept
check "--keep-words stay" grep -q 203.0.113.9 kept
printf '[trunk]\nsecret=Bl4ck-Pearl-9\n' >learn.conf
printf 'odd place Bl4ck-Pearl-9 here\n' | scrub --learn learn.conf >learnt
check "--learn removes everywhere" sh -c '! grep -q Pearl learnt'
expect "a full disk is an error" 1 sh -c "yes '$line' | head -n 100000 | '$CORESCRUB' scrub >/dev/full"
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# restore and forget: a reply's tokens become values again, with the private map alone and on this machine alone.
. "$(dirname "$0")/functions.sh"
cd "$work" || exit 1
export XDG_STATE_HOME="$work/state"
"$CORESCRUB" keygen --token-key -o key
restore() { "$CORESCRUB" restore "$@"; }
scrub() { "$CORESCRUB" scrub --key-file key "$@"; }

# several spellings of one value, in logs, gdb's text and a URI; a value that a line end breaks; quotes
cat >in.log <<'END'
Contact: <sip:+1 (415) 555-0123@203.0.113.9:5060>, tel:+14155550123, sip:14155550123@203.0.113.9
From: "Marisol Quenneville" <sip:+442079460958@[2001:db8:51::7a]>;tag=1
peer 203.0.113.9 and 2001:DB8:51:0:0:0:0:7A, 00:00:5e:00:53:2a is 00-00-5E-00-53-2A
mail jo.hampton@example.org or Jo.Hampton@Example.org, http://203.0.113.9/tel?n=+14155550123
END
cat >in.gdb <<'END'
#0  0x00007f1 in send_to (host=0x55d0 "203.0.113.9", addr=...) at net.c:12
        peer = {sin_family = 2, sin_port = 50195, sin_addr = {s_addr = 1299251403}, sin_zero = "\000\000"}
        raw = "\023\304\313\000qM\000"
        uri = "sip:+14155550123@203.0.113.77\r\n", '\000' <repeats 30 times>
        name = "a\303\251 <sip:+14155550123@203.0.113.9>"
END
for name in in.log in.gdb; do
	expect "$name: scrubbed" 0 scrub --map map -o "$name.out" $name
	check "$name: values are gone" sh -c "! grep -q -e 5550123 -e '203\.0\.113' -e 1299251403 $name.out"
	expect "$name: exactly" 0 restore --exact --map map "$name.out"
	check "$name: byte for byte" cmp .out $name
done
check "the map is private" test "$(stat -c %a map)" = 600
expect "both again, though the second run came later" 0 restore --exact --map map in.log.out in.gdb.out
check "byte for byte" sh -c 'cat in.log in.gdb | cmp - .out'
cp map before
expect "the same again" 0 scrub --map map -o again.out in.log
check "adds nothing" cmp map before
mkdir tree && cp in.log tree/ && gzip -c in.gdb >tree/in.gdb.gz
expect "a folder" 0 scrub --map tree.map -o tree.out tree
expect "a file out of it" 0 sh -c "'$CORESCRUB' restore --exact --map tree.map tree.out/in.log | cmp - in.log"
expect "a member" 0 sh -c "zcat tree.out/in.gdb.gz | '$CORESCRUB' restore --exact --map tree.map | cmp - in.gdb"
{ cat in.log.out; echo; } >changed
expect "a changed file" 1 restore --exact --map map changed
check "is told" grep -q 'no scrubbed text of this map' .err
expect "without a map" 1 restore in.log.out
check "it is said" grep -q 'no private map' .err
check "and nothing printed" test ! -s .out
expect "a file that is none" 1 restore --map in.log in.log.out

# a reply
phone=$(grep -o '\[phone~[a-z2-7]*\]' in.log.out | head -n 1)
ip4=$(grep -o '\[ip4~[a-z2-7]*\]' in.log.out | head -n 1)
other=$(printf 'tel:+14155550199' | "$CORESCRUB" scrub | sed 's/tel://')
cat >reply <<END
The call from $phone fails: $ip4 sends 487. See https://tracker.example.com/?q=$phone and www.example.com/$ip4,
<a href="https://x.example.net/
$phone">, mailto:a@example.com?body=$phone. Not mine: $other, $other, [secret~broken], [secret].
END
expect "a reply" 0 restore --map map reply
check "values stand there" grep -q 'call from +14155550123 fails: 203.0.113.9 sends' .out
check "links stay as they are" sh -c "grep -qF 'example.com/?q=$phone and www.example.com/$ip4' .out &&
	grep -qF 'body=$phone' .out"
check "unknown tokens are named once" test "$(grep -oF "$other" .err | wc -l)" = 1
check "links are counted" grep -q '3 tokens in links stay' .err
expect "in links too" 0 restore --map map --in-urls reply
check "as asked" grep -qF '?q=+14155550123' .out
expect "as a filter" 0 sh -c "'$CORESCRUB' restore -q --map map - <reply >filtered && ! grep -qF 'from $phone' filtered"
expect "one token" 0 restore --map map --token "$phone" -t "$ip4"
check "a line each" test "$(cat .out)" = "+14155550123
203.0.113.9"
expect "one it lacks" 1 restore --map map --token "$other"
expect "tokens and a file" 2 restore --map map --token "$phone" reply
expect "to a file" 0 restore --map map -o restored reply
check "of one's own" test "$(stat -c %a restored)" = 600
expect "never over another" 2 restore --map map -o restored reply
{ printf '<!DOCTYPE html>\n<p>%s</p><a href="https://x.example.net/\n' "$phone" && printf '%s">x</a>' "$phone"; } >page
expect "a page" 0 restore --map map page
check "a broken link stays" sh -c "tail -n 1 .out | grep -qF '$phone'"

# originals with escape sequences and markup: a caller chose them
printf '\033[2J\033]0;x\007<script>alert(1)</script>\n' >words
{ printf 'a call by ' && cat words; } >evil
expect "a hostile name" 0 scrub --words words --map evil.map -o evil.out evil
name=$(grep -o '\[name~[a-z2-7]*\]' evil.out | head -n 1)
check "is a token" test -n "$name"
printf 'said %s \033[31mred\033[0m\n' "$name" >reply2
script -qec "'$CORESCRUB' restore --map evil.map reply2" /dev/null </dev/null >typescript 2>/dev/null
check "on a terminal its escapes are shown" sh -c 'grep -qF "\\x1b[2J" typescript && ! grep -q "$(printf "\033")" typescript'
printf '<html><p>%s</p></html>' "$name" >page2
expect "in a page" 0 restore --map evil.map page2
check "it is text" sh -c '! grep -q "<script" .out && grep -q "&#60;script" .out'

# the state folder: maps by case, expiry, encrypted ones
core=$(example_core null) || { not_ok "the example crashes"; finish; }
expect "a report of a case" 0 "$CORESCRUB" report -q --case c1 -o rep "$core"
texts=rep/core-pbxlike-null-full.txt
token=$(grep -o '\[phone~[a-z2-7]*\]' $texts | head -n 1)
expect "its map is found" 0 restore --token "$token"
check "with a number in it" grep -q '^+[0-9]' .out
expect "by its case too" 0 restore --case c1 --token "$token"
expect "by another not" 1 restore --case c2 --token "$token"
touch -d '91 days ago' state/corescrub/c1.map
expect "an old one has expired" 1 restore --token "$token"
expect "and can go" 0 "$CORESCRUB" forget --expired
check "it is gone" test ! -e state/corescrub/c1.map
age-keygen -o identity 2>/dev/null
recipient=$(age-keygen -y identity)
printf 'map-recipient: %s\n' "$recipient" >settings.yaml
for run in 1 2; do
	expect "with map-recipient in the settings: $run" 0 "$CORESCRUB" report -q --config settings.yaml \
		--key-file key --case c3 -o "rep3-$run" "$core"
done
check "maps are encrypted" sh -c 'test ! -e state/corescrub/c3.map && ls state/corescrub | grep -c "^c3.*\.map\.age$" |
	grep -qx 2 && head -n 1 state/corescrub/c3.map.age | grep -q age-encryption &&
	test "$(stat -c %a state/corescrub/c3.map.age)" = 600'
token=$(grep -o '\[phone~[a-z2-7]*\]' rep3-1/core-pbxlike-null-full.txt | head -n 1)
expect "sealed" 2 restore --case c3 --token "$token"
expect "opened" 0 restore --case c3 -i identity --token "$token"
check "with a number in it" grep -q '^+' .out
expect "age opens them too" 0 age -d -i identity state/corescrub/c3.map.age
expect "a recipient that is none" 2 "$CORESCRUB" scrub --map m --map-recipient age1x -o x in.log
expect "scrub with a recipient" 0 scrub --map sealed.map --map-recipient "$recipient" -o sealed.out in.log
expect "exactly" 0 sh -c "'$CORESCRUB' restore -i identity --map sealed.map --exact sealed.out | cmp - in.log"
expect "verify knows its values" 3 "$CORESCRUB" verify -i identity --no-rules --map sealed.map in.log
expect "an encrypted map is not added to" 2 scrub --map sealed.map --map-recipient "$recipient" -o more.out in.gdb
expect "forget takes all of a case" 0 "$CORESCRUB" forget c3
check "they are gone" sh -c '! ls state/corescrub | grep -q "^c3"'
expect "once" 1 "$CORESCRUB" forget c3
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# verify: what was put into a finished package by hand is found, what was tampered with too, and a clean one passes.
. "$(dirname "$0")/functions.sh"
core=$(example_core null) || { not_ok "the example crashes"; finish; }
conf=$(dirname "$core")/pbxlike.conf
cd "$work" || exit 1
export XDG_STATE_HOME="$work/state"
verify() { "$CORESCRUB" verify "$@"; }
mkdir more && cp "$top/examples/pbxlike/pbxlike.conf" more/
"$CORESCRUB" keygen --token-key -o key
expect "a report" 0 "$CORESCRUB" report -q --key-file key --case c1 --learn "$conf" --attach more -o rep "$core"
package=rep/core-pbxlike-null.tar.gz
map=state/corescrub/c1.map

expect "a clean package" 0 verify "$package"
check "says what was not looked for" grep -q 'no map, key or config was given' .err
check "and what hashes do not prove" grep -q 'not who made it' .err
check "and nothing else" sh -c '! grep -v ": hint: " .out'
expect "with all that is known" 0 verify --map $map --key-file key --case c1 --learn "$conf" "$package"
check "nothing is said to be unknown" sh -c '! grep -q "no map" .err'
expect "a report's folder" 0 verify rep
mkdir un && tar -C un -xzf "$package"
printf 'call 1 (415) 555-0123 or +14155550123 now\n' >spelled && "$CORESCRUB" scrub -q --map spelled.map -o spelled.out spelled
printf 'again 1 (415) 555-0123\n' >again
expect "a map's other spellings are known" 3 verify --no-rules --map spelled.map again
expect "an unpacked one" 0 sh -c "cd un/* && '$CORESCRUB' verify ."
expect "a file of it" 0 verify rep/core-pbxlike-null-full.txt
expect "its second look alone" 0 verify --no-rules --map $map --learn "$conf" "$package"
expect "as JSON" 0 verify --json "$package"
check "it is" python3 -c 'import json, sys; v = json.load(open(".out")); sys.exit(v["leaks"] or v["changes"])'

check "fifty leaks and more put in by hand, and tampered ones" "$top/tests/cli/seeded.py" "$package" seeded
ruleset=$(sed -n 's/.*"ruleset": "\(.*\)".*/\1/p' rep/core-pbxlike-null-manifest.json)
expect "are not clean" 3 verify --json --map $map --learn "$conf" --ruleset "$ruleset" seeded/same.tar.gz \
	seeded/leak-* seeded/change-*
cp .out verdict
check "each is found, at its line" "$top/tests/cli/seeded.py" --judge verdict seeded
check "no value is said" sh -c "! grep -q -e Obsidian -e tundra -e 442079460958 -e Quenneville -e 5550199 verdict"
expect "what strict alone takes is found" 3 verify --json --policy strict seeded/strict-*
cp .out verdict
check "at its line too" "$top/tests/cli/seeded.py" --judge verdict seeded
for leak in plain hex-upper base64-1 zip-in-tar page-split name-known; do
	expect "without the rules: $leak" 3 verify --no-rules --map $map --learn "$conf" \
		"seeded/leak-$leak.tar.gz"
done
expect "without the rules an address is a hint" 0 verify --no-rules seeded/leak-ip4.tar.gz
check "with its place" grep -q 'full.txt:[0-9]*:[0-9]*: hint: check.shape ip4: IPv4 address' .out
expect "which can count" 3 verify --no-rules --fail-on-hints seeded/leak-ip4.tar.gz
expect "the key alone knows a number again" 3 verify --no-rules --key-file key seeded/leak-plain.tar.gz
check "by its token" grep -q ': leak: key.known secret: ' .out
"$CORESCRUB" keygen --token-key -o other
expect "another key knows nothing" 0 verify --no-rules --key-file other seeded/leak-plain.tar.gz
check "and it is said" grep -q 'not the one it was made with' .err

# what it is held to comes from the command line
expect "another policy" 3 verify --policy developer "$package"
check "is a change" grep -q 'package.policy' .out
expect "another ruleset" 3 verify --ruleset 00 "$package"
expect "another case" 3 verify --case c2 "$package"
echo 203.0.113.201 >words
expect "a word that may stay" 0 verify --keep-words words seeded/leak-ip4.tar.gz

# a folder
cp -r rep bad && echo >>bad/core-pbxlike-null-brief.txt
expect "a changed text beside the package" 3 verify bad
check "is named" grep -q 'brief.txt:0:0: change: package.size' .out
cp -r rep bad2 && echo 'sip:+14155550199@pbx' >bad2/notes.txt
expect "a file too many" 3 verify bad2
check "is named and looked at" sh -c 'grep -q "notes.txt:0:0: change: package.extra" .out &&
	grep -q "notes.txt:1:5: leak: " .out'
cp -r rep bad3 && rm bad3/core-pbxlike-null-locks.txt && cp seeded/change-schema.tar.gz bad3/core-pbxlike-null.tar.gz
expect "another package in its place" 3 verify bad3
check "is told by its manifest" grep -q 'its manifest is not the one beside it' .out
check "as is what is missing" grep -q 'locks.txt:0:0: change: package.missing' .out
mkdir loose && echo fine >loose/a && tar -czf loose.tar.gz loose
expect "no package" 3 verify loose.tar.gz
expect "nor a report's folder" 3 verify loose
expect "but plain files" 0 verify --plain loose loose.tar.gz
zip -qr loose.zip loose
expect "a zip is none either" 3 verify loose.zip
expect "but plain" 0 verify --plain loose.zip
gzip -c loose/a >a.gz
expect "a compressed text" 0 verify a.gz
printf 'RIFF\044\000\000\000WAVEfmt ' >"$(printf 'a\033[2J.wav')"
expect "what can't be looked at" 3 verify ./*.wav
check "and its name is shown, not sent" sh -c '! grep -q "$(printf "\033")" .out && grep -qF "a\033" .out'

expect "no operand" 2 verify
expect "no such file" 1 verify missing.tar.gz
age-keygen -o identity 2>/dev/null
age -r "$(age-keygen -y identity)" -o sealed.age "$package"
expect "an encrypted one without identity" 2 verify sealed.age
expect "with it" 0 verify -i identity sealed.age

# a hand-off: its texts are looked at, the rest is held to its digests
to=$(age-keygen -y identity)
expect "a hand-off" 0 "$CORESCRUB" report -q --with-core=scrubbed --encrypt-to "$to" -o off "$core"
sealed=off/core-pbxlike-null-handoff.tar.zst.age
expect "is clean" 0 verify -i identity $sealed
check "and said to hold more" grep -q 'members (core, programs, configuration) are not meant to be clean' .err
expect "in its folder" 0 verify -i identity off
check "it is opened" sh -c '! grep -q "was not opened" .err'
expect "unopened too" 0 verify off
check "and said so" grep -q 'was not opened' .err
age -d -i identity $sealed | zstd -qdc >clear.tar
for what in 's/open-in-gdb/open-IN-gdb/' 's/#0  0x/#0  1x/' 's/stack smashing/stack crushing/'; do
	LC_ALL=C sed "$what" clear.tar >other.tar
	cmp -s clear.tar other.tar && continue
	zstd -qc other.tar | age -r "$to" >other.tar.zst.age
	expect "tampered with: $what" 3 verify -i identity other.tar.zst.age
done
head -c 100000 $sealed >cut.age
expect "a cut one" 1 verify -i identity cut.age
zstd -qc clear.tar >clear.tar.zst
expect "in the clear" 3 verify clear.tar.zst
check "is no package for anybody" grep -q 'package.clear' .out
finish

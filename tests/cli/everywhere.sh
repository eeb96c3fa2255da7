#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is learned from one struct field of the core is gone from a log, a config and a command line of the
# same run, in other spellings too, and it has one token everywhere.
. "$(dirname "$0")/functions.sh"
core=$(example_core null) || { not_ok "the example crashes"; finish; }
cd "$work" || exit 1
secret=Kestrel-91-violet
mkdir more
printf 'line one\nthe peer said %s and hung up\n' "$secret" >more/odd.log
printf '[general]\nnote = %s\n' "$secret" >more/plain.conf
printf '/usr/sbin/exchange -f -x %s -g\n' "$secret" >more/cmdline
printf 'blob %s end\n' "$(printf %s "$secret" | base64)" >more/base64.log
printf 'blob %s end\n' "$(printf %s "$secret" | od -An -tx1 | tr -d ' \n')" >more/hex.log
printf 'and a cut one: Kestrel-91-vi\n' >more/cut.log
expect "report" 0 "$CORESCRUB" report -o out --attach more "$core"
tar -xzf out/*.tar.gz
check "gone from all" sh -c "! grep -raq -e '$secret' -e Kestrel-9 core-pbxlike-null"
printf 'secret\t%s\n' "$secret" >planted
check "in every spelling" "$top/tests/cli/plants.py" planted out
tokens=$(grep -rhao 'secret~[a-z2-7]*' core-pbxlike-null/attachments | sort -u)
check "one token" test "$(echo "$tokens" | wc -l)" = 1
check "which the backtrace has too" grep -q "$tokens" core-pbxlike-null/core-pbxlike-null-full.txt

# and from the core, with as much of that token as fits (ten characters, then the kind)
"$CORESCRUB" keygen --token-key -o key
mkdir -m 700 cores
expect "report with a key" 0 "$CORESCRUB" report --key-file key --case c -o keyed --attach more "$core"
expect "core with it" 0 "$CORESCRUB" core -q --key-file key --case c -o cores/core "$core"
tar -xzOf keyed/*.tar.gz core-pbxlike-null/attachments/plain.conf >plain.conf
token=$(sed -n 's/^note = \[secret~\([a-z2-7]*\)\]$/\1/p' plain.conf)
check "a token of ten characters" test "${#token}" = 10
check "the struct field has it in the core" grep -aqF "${token}secret." cores/core
check "gone from the core" "$top/tests/cli/plants.py" planted cores

# a configuration's callers and peers, as others write them
cat >peers.conf <<'END'
[peer7]
callerid="Zoltan Bereczki" <+14155550142>
contact=sip:peer7@192.0.2.77:5060
mailbox_name=Reception
END
cat >calls.log <<'END'
CNAM of 914155550142 is ZOLTAN BERECZKI, then BERECZKI ZOLTAN
zoltan bereczki is back: "Bereczki, Zoltan"
END
"$CORESCRUB" scrub -q --learn peers.conf calls.log >calls.clean
check "a name in capitals, small letters, last name first" sh -c '! grep -iq -e zoltan -e bereczki calls.clean'
check "a number behind a 9" sh -c '! grep -q 4155550142 calls.clean'
check "one token for the name" test "$(grep -o 'name~[a-z2-7]*' calls.clean | sort -u | wc -l)" = 1
finish

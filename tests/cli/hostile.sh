#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a remote caller sends must not stop a scrub or a report.
. "$(dirname "$0")/functions.sh"
cd "$work" || exit 1

printf 'cs://:[secret][secret~qwwpmsedfu]@[secret~\ncs://:\305e@p.pe.\377\377\377\001@[secret~\n' >tokens.log
expect "a password that is made of tokens" 0 "$CORESCRUB" scrub -o once.log tokens.log
expect "and again" 0 "$CORESCRUB" scrub -o twice.log once.log
check "changes nothing" cmp once.log twice.log

core=$(example_core null) || { not_ok "the example crashes"; finish; }
printf 'from sip://eve:network.ipv4@192.0.2.1\n' >words.log
expect "a password that is a rule's name" 3 "$CORESCRUB" report -o words --attach words.log "$core"
check "the texts are written" test -s words/core-pbxlike-null-full.txt
check "a person is told where" grep -q 'known secret, as it is<small>manifest.json, line' \
	words/core-pbxlike-null-review-private.html
check "the manifest counts it" grep -q '"open": [1-9]' words/core-pbxlike-null-manifest.json
expect "and can let it pass" 0 "$CORESCRUB" report -o passed --accept-open --attach words.log "$core"
check "the package is sound" "$top/tests/cli/package.py" passed/core-pbxlike-null.tar.gz
finish

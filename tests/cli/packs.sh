#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bad packs: exit 2 with file:line:column, before any input is read.
. "$(dirname "$0")/functions.sh"
cd "$work" || exit 1

# bad NAME PLACE: the pack on stdin is refused at that line:column
bad_pack() {
	cat >pack.yaml
	expect "$1" 2 "$CORESCRUB" scrub --rules pack.yaml "$top/README.md"
	check "$1: says where" grep -q "pack.yaml:$2: " .err
	check "$1: prints nothing" test ! -s .out
}
bad_pack "an unknown key" 4:5 <<'Y'
pack: p
rules:
  - id: a
    knd: secret
Y
bad_pack "a bad regex" '7:[0-9]*' <<'Y'
pack: p
rules:
  - id: a
    kind: secret
    summary: one
    match:
      regex: 'a(b'
    examples: [{in: ab, hits: [ab]}]
Y
bad_pack "a duplicate id" '9:[0-9]*' <<'Y'
pack: p
rules:
  - id: a
    kind: secret
    summary: one
    severity: low
    match: {regex: 'abc'}
    examples: [{in: abc, hits: [abc]}]
  - id: a
    kind: secret
    summary: two
    severity: low
    match: {regex: 'abd'}
    examples: [{in: abd, hits: [abd]}]
Y
bad_pack "a failing example" '8:[0-9]*' <<'Y'
pack: p
rules:
  - id: a
    kind: secret
    summary: one
    severity: low
    match: {regex: 'abc'}
    examples: [{in: xyz, hits: [xyz]}]
Y
bad_pack "a YAML error" '[34]:[0-9]*' <<'Y'
pack: p
rules:
  - id: [a
Y
bad_pack "an alias bomb" '1:[0-9]*' <<'Y'
a: &a [x, x, x, x]
b: &b [*a, *a, *a, *a]
c: &c [*b, *b, *b, *b]
pack: *c
Y
bad_pack "an unknown kind" '4:[0-9]*' <<'Y'
pack: p
rules:
  - id: a
    kind: nonsense
    summary: one
    match: {regex: 'abc'}
Y
bad_pack "a memory rule without bound" '[0-9]*:[0-9]*' <<'Y'
pack: p
rules:
  - id: a
    kind: secret
    summary: one
    severity: low
    match: {regex: 'abc.*'}
    where: [memory]
    examples: [{in: abc, hits: [abc]}]
Y
expect "a pack that is not there" 1 "$CORESCRUB" scrub --rules missing.yaml "$top/README.md"
finish

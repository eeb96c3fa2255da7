#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Findings for other programs: JSON Lines, and SARIF by the file's ending. SARIF_SCHEMA names the published schema, to
# check against that too; it is not ours to keep here.
. "$(dirname "$0")/functions.sh"
cd "$work" || exit 1
"$CORESCRUB" keygen --token-key -o key
name='what 5% of "it": é.log'
{ printf 'é call sip:+14155550123@203.0.113.9 password=hunter2-Secret\n\n' &&
	printf '        user = "ünïcode 203.0.113.9", next = {s_addr = 1299251403}\n'; } >"$name"
for form in sarif jsonl; do
	expect "scrub to $form" 0 "$CORESCRUB" scrub -q --key-file key --findings "f.$form" -o "out.$form" "$name"
done
check "both say the same" "$top/tests/cli/sarif.py" f.sarif f.jsonl "$name" "${SARIF_SCHEMA:-}"
check "no value is in either" sh -c '! grep -q -e 5550123 -e 203.0.113 -e hunter2 -e 1299251403 f.sarif f.jsonl'
: >empty
for form in sarif jsonl; do
	expect "nothing found: $form" 0 "$CORESCRUB" scrub -q --findings "e.$form" -o "empty.$form" empty
done
check "is a log too" "$top/tests/cli/sarif.py" e.sarif e.jsonl empty "${SARIF_SCHEMA:-}"
expect "never over another file" 2 "$CORESCRUB" scrub --findings f.sarif -o third "$name"
check "and then nothing is written" test ! -e third
core=$(example_core null) || { not_ok "the example crashes"; finish; }
for form in sarif jsonl; do
	expect "report to $form" 0 "$CORESCRUB" report -q --no-map --key-file key --case c --attach "$name" \
		--findings "r.$form" -o "rep.$form" "$core"
done
check "of one form" python3 -c '
import json, runpy, sys
lines = [json.loads(l) for l in open("r.jsonl")]
results = json.load(open("r.sarif"))["runs"][0]["results"]
assert len(lines) == len(results) > 100
for a, b in zip(lines, results):
    region = b["locations"][0]["physicalLocation"]["region"]
    assert (a["rule"], a["token"], a["line"]) == (b["ruleId"], b["properties"]["token"], region["startLine"])
assert any(r["locations"][0].get("logicalLocations") for r in results)
assert {a["file"] for a in lines} >= {"core-pbxlike-null-full.txt", "core-pbxlike-null-thread1.txt"}
assert any(a["file"].startswith("attachments/") for a in lines)'
[ -z "${SARIF_SCHEMA:-}" ] || check "by the published schema" python3 -c '
import json, jsonschema, sys
jsonschema.validate(json.load(open("r.sarif")), json.load(open(sys.argv[1])))' "$SARIF_SCHEMA"
expect "planted values" 0 "$top/tests/cli/plants.py" "$top/examples/pbxlike/planted.txt" r.sarif r.jsonl
finish

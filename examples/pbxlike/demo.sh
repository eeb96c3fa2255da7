#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh PROGRAM: crashes pbxlike, makes its report with PROGRAM (corescrub), shows what came out.
# Everything stands in the folder demo/ beside PROGRAM. Fails if a planted value is in the output.
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
[ -x "${1:-}" ] || { echo "usage: demo.sh PROGRAM" >&2; exit 2; }
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
demo=$(dirname "$program")/demo
core=$demo/crash/core-pbxlike-null

rm -rf "$demo"
mkdir "$demo"
echo "== a telephone exchange crashes"
"$here/crash.sh" null "$demo/crash"

echo
echo "== corescrub report core-pbxlike-null --learn pbxlike.conf --attach pbxlike.log"
status=0
XDG_STATE_HOME=$demo/state "$program" report "$core" -o "$demo/report" \
	--learn "$demo/crash/pbxlike.conf" --attach "$demo/crash/pbxlike.log" || status=$?
case $status in
0) ;;
3) echo "demo: a person is needed: corescrub review $demo/report" ;;
*) exit "$status" ;;
esac

echo
echo "== the files"
(cd "$demo/report" && find . -type f -exec ls -l {} + | sed 's, \./, ,')

echo
echo "== what was redacted"
python3 - "$demo/report/core-pbxlike-null-manifest.json" <<'END'
import json, sys
rows = json.load(open(sys.argv[1]))["redactions"]
line = "%-36s %-8s %-9s %6s %9s"
print(line % ("rule", "kind", "severity", "count", "distinct"))
for r in sorted(rows, key=lambda r: (-r["count"], r["rule"])):
    print(line % (r["rule"], r["kind"], r["severity"], r["count"], r.get("distinct", "")))
END

echo
rm -rf "$demo/look"
mkdir "$demo/look"
cp -R "$demo/report/." "$demo/look/"
for package in "$demo"/look/*.tar.gz; do
	[ ! -f "$package" ] || tar -xzf "$package" -C "$demo/look"
done
tab=$(printf '\t') planted=0 left=0
while IFS=$tab read -r kind value; do
	planted=$((planted + 1))
	if grep -rqaF -e "$value" "$demo/look"; then
		left=$((left + 1))
		echo "demo: a planted value of kind $kind is still there: planted.txt, line $planted" >&2
	fi
done <"$here/planted.txt"
rm -rf "$demo/look"
echo "== $left of $planted planted values are in the files above; two lines of them:"
grep -an 'leg_bridge (' "$demo/report/core-pbxlike-null-brief.txt" | head -n 1
grep -an 'dialed = "PJSIP' "$demo/report/core-pbxlike-null-full.txt" | cut -c 1-110 | head -n 1
[ "$left" = 0 ]

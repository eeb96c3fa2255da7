#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Killed at any moment, report leaves nothing planted in the output folder, $TMPDIR or the state folder,
# a complete private map of mode 0600 aside. KILLS sets how often (200).
. "$(dirname "$0")/functions.sh"
core=$(example_core null) || { not_ok "the example crashes"; finish; }
planted=$top/examples/pbxlike/planted.txt
kills=${KILLS:-200}
[ -z "${SANITIZE:-}" ] || kills=${KILLS:-20}	# the same code, ten times slower
cd "$work" || exit 1
mkdir out tmp state
export TMPDIR=$work/tmp XDG_STATE_HOME=$work/state

# how long a whole one takes, in ms
begin=$(date +%s%N)
"$CORESCRUB" report -q -o out/whole "$core" || not_ok "a whole report"
span=$((($(date +%s%N) - begin) / 1000000))
rm -rf out/whole state/*
leaks=0 whole=0
for i in $(seq "$kills"); do
	"$CORESCRUB" report -q -o "out/$i" "$core" >/dev/null 2>&1 &
	pid=$!
	delay=$(awk -v s="$i" -v m="$span" 'BEGIN { srand(s * 7919); print rand() * m * 1.05 / 1000 }')
	sleep "$delay"
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	for map in state/corescrub/*; do
		[ -e "$map" ] || continue
		# a complete map is allowed; anything else in the state folder is searched like the rest
		if [ "$(stat -c %a "$map")" = 600 ] && [ "$(head -n 1 "$map")" = "corescrub-map 1" ] &&
			[ -z "$(tail -c 1 "$map")" ]; then rm "$map"; fi
	done
	[ -d "out/$i" ] && whole=$((whole + 1))
done
"$top/tests/cli/plants.py" "$planted" out tmp state >"$work/leaks" || leaks=1
if [ "$leaks" = 0 ]; then ok "$kills kills, $whole whole reports, nothing planted left"; else
	not_ok "something planted was left"
	cat "$work/leaks"
fi
check "nothing half-written is named" sh -c 'for d in out/*; do [ -e "$d" ] || continue; ls "$d"/*.tar.gz >/dev/null || exit 1; done'
finish

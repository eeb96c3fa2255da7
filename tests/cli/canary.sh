#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The canary: what is planted in the example stands in no byte that leaves, whatever its spelling.
. "$(dirname "$0")/functions.sh"
planted=$top/examples/pbxlike/planted.txt
for mode in null abort deadlock; do
	core=$(example_core "$mode") || { not_ok "$mode: the example crashes"; continue; }
	out=$work/$mode
	mkdir -p "$out"
	expect "$mode: report" 0 "$CORESCRUB" report -v -o "$out/report" \
		--attach "$top/examples/pbxlike/pbxlike.conf" "$core"
	mv "$work/.out" "$work/.err" "$out/"
	check "$mode: nothing planted leaves" "$top/tests/cli/plants.py" "$planted" "$out"
	for part in thread1 brief full locks info; do
		check "$mode: $part" test -s "$out/report/core-pbxlike-$mode-$part.txt"
	done
	# frames as gdb prints them, tokens aside: what a token stands for is taken out of both
	exe=$(dirname "$core")/pbxlike
	gdb -nx -batch -ex 'set width 0' -ex 'thread apply all bt' "$exe" "$core" >"$out/plain" 2>/dev/null
	check "$mode: frames as in plain gdb" "$top/tests/cli/frames.py" "$out/plain" \
		"$out/report/core-pbxlike-$mode-brief.txt"
	gdb -nx -batch -ex 'set width 0' -ex 'thread apply all bt full' "$exe" "$core" >"$out/plain" 2>/dev/null
	check "$mode: frames and variables as in plain gdb" "$top/tests/cli/frames.py" "$out/plain" \
		"$out/report/core-pbxlike-$mode-full.txt"
	check "$mode: the package holds what it says" "$top/tests/cli/package.py" \
		"$out/report/core-pbxlike-$mode.tar.gz"
done
finish

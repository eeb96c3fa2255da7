#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# report and core on a compressed core give what they give on the core itself.
. "$(dirname "$0")/functions.sh"
cd "$work" || exit 1
core=$(example_core null) || exit 1
cp "$core" core.pbx
touch -d @1795400000 core.pbx
"$CORESCRUB" keygen --token-key -o key
report() { # OUT CORE
	"$CORESCRUB" report --no-map --no-learn --accept-open --key-file key --case c -o "$1" "$2"
}
expect "the core itself" 0 report plain core.pbx
zstd -q core.pbx && lz4 -q core.pbx core.pbx.lz4 && xz -0 -k core.pbx
for end in zst lz4 xz; do
	touch -d @1795400000 "core.pbx.$end"
	expect "$end: report" 0 report "$end" "core.pbx.$end"
	for text in thread1 brief full locks; do
		check "$end: the same $text" cmp "plain/core.pbx-$text.txt" "$end/core.pbx-$text.txt"
	done
	check "$end: the package is sound" "$top/tests/cli/package.py" "$end/core.pbx.tar.gz"
done
scrub_core() { # OUT CORE
	"$CORESCRUB" core -q --key-file key --case c -o "$1" "$2"
	status=$?
	[ "$status" = 0 ] || [ "$status" = 3 ]
}
check "the core itself, scrubbed" scrub_core plain.core core.pbx
check "the packed core, scrubbed" scrub_core packed.core core.pbx.zst
check "the same core" cmp plain.core packed.core
head -c 100000 core.pbx.zst >core.cut.zst
expect "cut: refused" 1 report cut core.cut.zst
check "cut: says so" grep -q 'damaged, or cut short' .err
check "cut: writes nothing" sh -c '! test -e cut'
printf 'no core at all\n' | zstd -q >core.text.zst
expect "a text: refused" 1 report text core.text.zst
check "a text: says so" grep -q 'not an ELF core' .err
finish

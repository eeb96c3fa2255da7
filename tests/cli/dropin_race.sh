#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A link race: somebody swaps names in the world-writable folder we write to. Nothing outside of it is ever
# written, made or replaced. RACE_SECONDS sets for how long (5).
. "$(dirname "$0")/functions.sh"
core=$(example_core null) || { not_ok "the example crashes"; finish; }
seconds=${RACE_SECONDS:-5}
chmod 755 "$work" && cd "$work" || exit 1
check "the other one" ${CC:-cc} -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -o swapper "$top/tests/fixtures/swapper.c"
mkdir outside && echo precious >outside/victim && chmod 755 outside && chmod 644 outside/victim
mkdir w && chmod 777 w
cp "$core" core.1
cp "$top/examples/pbxlike/pbxlike.conf" text
before=$(ls -lai --time-style=full-iso outside | tail -n +4 && cat outside/victim)

(cd w && exec "$work/swapper" "$seconds" "$work/outside" core.1-thread1.txt core.1-brief.txt core.1-full.txt \
	core.1-locks.txt core.1-info.txt core.1.tar.gz core.1-review-private.html report clean folder key) >swaps &
swapper=$!
tries=0
end=$(($(date +%s) + seconds))
while [ "$(date +%s)" -lt "$end" ]; do
	"$CORESCRUB" ast_coredumper -q --asterisk-bin=pbxlike --no-rename --tarball-results --outputdir=w core.1
	"$CORESCRUB" report -q -o w/report core.1
	for i in 1 2 3 4 5; do
		"$CORESCRUB" scrub -q -o w/clean text
		"$CORESCRUB" scrub -q -o w/folder outside
		"$CORESCRUB" keygen -o w/key
	done
	tries=$((tries + 17))
done >/dev/null 2>errors
wait $swapper
after=$(ls -lai --time-style=full-iso outside | tail -n +4 && cat outside/victim)
echo "$tries tries, $(cat swaps) swaps, $(grep -c error: errors) refusals"
check "there was a race" test "$(cat swaps)" -gt 100
check "the outside is as it was" test "$before" = "$after"
check "nothing else lies there" test "$(ls outside)" = victim
check "no value in what we said" "$top/tests/cli/plants.py" "$top/examples/pbxlike/planted.txt" errors
finish

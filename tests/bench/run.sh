#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The benchmark table. Each row is a ratio against a named baseline that is measured in the same run, the
# median of RUNS (5) pairs, with its limit; OVER stands behind a row that misses it. MB is the size of the
# SIP log (200), GDB_MB that of the gdb text (50), CORE_MB that of a core's data (1024), ROWS a pattern of the rows wanted ("[bd]"; all).
set -eu
cd "$(dirname "$0")/../.."
B=$PWD/${B:-build}
program=$B/corescrub
runs=${RUNS:-5} megabytes=${MB:-200} gdb_megabytes=${GDB_MB:-50} rows=${ROWS:-?} pack_megabytes=${PACK_MB:-512}
core_megabytes=${CORE_MB:-1024}
work=$(mktemp -d)
# what rows with large outputs write goes to memory, so that no disk is measured
fast=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$work" "$fast"' EXIT
export XDG_STATE_HOME="$work/state" XDG_CONFIG_HOME="$work/config" LC_ALL=C.UTF-8 DEBUGINFOD_URLS=

wanted() { case $1 in $rows) ;; *) return 1 ;; esac }
pair() { tests/bench/pair.py --runs "$runs" "$@"; }

for tool in siplog in_turn age_tool page pack_tool bigcore; do
	make -s "${B#"$PWD"/}/tests/bench/$tool"	# by the name that the Makefile knows
done
"$B/tests/bench/siplog" "$megabytes" >"$work/sip.log"
echo 'NOTICE: Failed to authenticate from 203.0.113.9' >"$work/line"

# The example's crash, and one whose full text has about 740 KB as Asterisk's may have: a call takes 6 KB.
examples/pbxlike/crash.sh null "$work/crash" >/dev/null
PBXLIKE_THREADS=122 examples/pbxlike/crash.sh null "$work/calls" >/dev/null
PBXLIKE_THREADS=192 examples/pbxlike/crash.sh null "$work/threads" >/dev/null	# 200 with its own
gdb="gdb -nx -batch -ex 'thread apply all bt full'"
sh -c "$gdb $work/calls/pbxlike $work/calls/core-pbxlike-null" >"$work/full.txt" 2>/dev/null
text_bytes=$(wc -c <"$work/full.txt")
times=$((gdb_megabytes * 1000000 / text_bytes + 1))
i=0
while [ $i -lt $times ]; do cat "$work/full.txt"; i=$((i + 1)); done >"$work/gdb.txt"
# 500 secrets of a configuration that are not in the text: each costs its search alone.
python3 -c 'import random
r = random.Random(1)
for i in range(500):
    print("[peer%d]\nsecret=%s" % (i, "".join(r.choice("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_")
                                              for _ in range(r.randint(8, 24)))))' >"$work/secrets.conf"

# The shipped packs with a hundred more, prepared as make does it. They find nothing, so output is the same.
mkdir -m 755 "$work/more" "$work/more/rules"
cp "$program" "$work/more/"
cp "$B"/rules/*.yaml "$work/more/rules/"
tests/bench/idle.py >"$work/more/rules/idle.yaml"
"$work/more/corescrub" rules prepare -o "$work/more/rules/rules.hsdb"
head -c 32 /dev/zero >"$work/key"
chmod 600 "$work/key"
head -c 1000000 "$work/sip.log" >"$work/some.log"
for p in "$program" "$work/more/corescrub"; do
	"$p" scrub --key-file "$work/key" <"$work/some.log" | sha256sum
done | uniq | wc -l | grep -qx 1 || { echo "run.sh: the idle rules are not idle" >&2; exit 1; }

printf '%-52s %8s %11s  %s\n' row figure limit 'median of it / of its baseline'
wanted a && tests/bench/pair.py --runs 15 --absolute 0.100 "a  one line through scrub: seconds, start to end" \
	"$program scrub <$work/line >/dev/null" true
wanted b && pair --cpu --least 0.60 "b  $megabytes MB SIP log: scrub's speed / gzip -1's" \
	"$program scrub <$work/sip.log >/dev/null" "gzip -1 <$work/sip.log >/dev/null"
wanted B && pair --cpu --least 0.60 "B  the same with --no-learn" \
	"$program scrub --no-learn <$work/sip.log >/dev/null" "gzip -1 <$work/sip.log >/dev/null"
wanted c && pair --own --least 3 "c  80 rules at once / PCRE2 JIT one after another" \
	"$B/tests/bench/in_turn engine tests/bench/frozen.yaml $work/sip.log 20" \
	"$B/tests/bench/in_turn reference tests/bench/frozen.yaml $work/sip.log 20"
wanted d && pair --cpu --limit 1.15 "d  with 100 more idle rules / without: time" \
	"$work/more/corescrub scrub <$work/sip.log >/dev/null" "$program scrub <$work/sip.log >/dev/null"
wanted e && tests/bench/memory.py "e  peak memory above the mapped input" 64 "$work/sip.log" "$program" scrub
wanted f && pair --limit 1.25 --ok 0,3 "f  report / gdb's thread apply all bt full: time" \
	"rm -rf $work/report; $program report -q $work/crash/core-pbxlike-null -o $work/report >/dev/null" \
	"$gdb $work/crash/pbxlike $work/crash/core-pbxlike-null >/dev/null 2>&1"
wanted F && tests/bench/pair.py --runs 9 --limit 1.25 --ok 0,3 "F  the same with 200 threads" \
	"rm -rf $work/report; $program report -q $work/threads/core-pbxlike-null -o $work/report >/dev/null" \
	"$gdb $work/threads/pbxlike $work/threads/core-pbxlike-null >/dev/null 2>&1"
wanted g && pair --cpu --ok 0,3 --limit 0.05 "g  scrub $((text_bytes / 1000)) KB of it, 500 learned / gdb: time" \
	"$program scrub --learn $work/secrets.conf <$work/full.txt >/dev/null" \
	"$gdb $work/calls/pbxlike $work/calls/core-pbxlike-null >/dev/null 2>&1"
wanted h && pair --cpu --ok 0,3 --least 0.50 "h  $gdb_megabytes MB gdb text: scrub's speed / gzip -1's" \
	"$program scrub <$work/gdb.txt >/dev/null" "gzip -1 <$work/gdb.txt >/dev/null"
wanted k && { "$program" scrub <"$work/gdb.txt" >"$work/clean.txt" || [ $? = 3 ]; } &&
	pair --cpu --limit 1.00 "k  pages of $gdb_megabytes MB text / gzip -6 of it: time" \
		"$B/tests/bench/page $work/clean.txt >/dev/null" "gzip -6 <$work/clean.txt >/dev/null"

wanted v && { "$program" scrub -q <"$work/gdb.txt" >"$work/gdb.clean" || [ $? = 3 ]; } &&
	pair --cpu --limit 1.00 "v  $gdb_megabytes MB gdb text: verify of it, scrubbed / scrub: time" \
		"$program verify -q $work/gdb.clean >/dev/null" \
		"$program scrub -q <$work/gdb.txt >/dev/null || [ \$? = 3 ]"

# A core's data, without holes; 500 secrets and all packs. PCRE2 takes seconds for 32 MB of it.
core() { echo "rm -f $fast/out; $program core -q --learn $work/secrets.conf -o $fast/out $1"; }
if wanted C; then
	"$B/tests/bench/bigcore" "$work/small.core" 32 32
	pair --cpu --ok 0,3 --least 8 "C  32 MB core, 500 learned / PCRE2 one after another" \
		"$(core "$work/small.core")" \
		"$B/tests/bench/in_turn reference $B/rules $work/small.core >/dev/null"
fi
if wanted D; then
	"$B/tests/bench/bigcore" "$work/big.core" "$core_megabytes" "$core_megabytes"
	pair --ok 0,3 --limit 2 "D  $core_megabytes MB core, 500 learned / zstd -1 -T0: time" \
		"$(core "$work/big.core")" "zstd -1 -T0 -q -f $work/big.core -o $fast/zst"
	rm -f "$work/big.core" "$fast"/*
fi
if wanted E; then
	"$B/tests/bench/bigcore" "$work/sparse.core" 16384 "$core_megabytes"
	tests/bench/memory.py "E  16 GB sparse core, $core_megabytes MB data: peak memory" 96 /dev/null \
		"$program" core -q --learn "$work/secrets.conf" -o "$fast/out" "$work/sparse.core"
	rm -f "$work/sparse.core" "$fast"/*
fi

age-keygen -o "$work/identity" 2>/dev/null
age-keygen -y "$work/identity" >"$work/recipient"
truncate -s 1G "$work/clear"
wanted i && pair --least 0.90 "i  1 GiB encrypted: our speed / the age command's" \
	"$B/tests/bench/age_tool encrypt -R $work/recipient <$work/clear >/dev/null 2>&1" \
	"age -R $work/recipient <$work/clear >/dev/null"
wanted j && age -R "$work/recipient" -o "$work/sealed" "$work/clear" &&
	pair --least 0.90 "j  1 GiB decrypted: our speed / the age command's" \
		"$B/tests/bench/age_tool decrypt -i $work/identity <$work/sealed >/dev/null" \
		"age -d -i $work/identity <$work/sealed >/dev/null"

# The hand-off's way, without gdb and scrubbing: a core of data alone, and one that is mostly holes.
recipient=$(cat "$work/recipient")
pack="$B/tests/bench/pack_tool $recipient"
"$B/tests/bench/bigcore" "$work/dense.core" 1024 "$pack_megabytes"
"$B/tests/bench/bigcore" "$work/sparse.core" 16384 "$pack_megabytes"
wanted p && pair --limit 1.20 "p  $pack_megabytes MiB core packed / tar | zstd -1 -T0 | age: time" \
	"$pack $work/dense.core >/dev/null" \
	"tar -cSC $work dense.core | zstd -q -1 -T0 | age -r $recipient >/dev/null"
wanted q && tests/bench/pair.py --runs 2 --least 3 "q  the same: our speed / tar -z's alone" \
	"$pack $work/dense.core >/dev/null" "tar -cSzC $work -f - dense.core | cat >/dev/null"
wanted r && pair --limit 1.25 "r  packed with 15 GiB of holes more / without: time" \
	"$pack $work/sparse.core >/dev/null" "$pack $work/dense.core >/dev/null"
wanted s && tests/bench/memory.py "s  peak memory, packing 16 GiB with holes" 96 /dev/null \
	$pack "$work/sparse.core"
exit 0

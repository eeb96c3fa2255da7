#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The documented command lines of ast_coredumper, on the example: exactly the documented files, nothing
# planted in what may be sent.
. "$(dirname "$0")/functions.sh"
first=$(example_core null) || { not_ok "the example crashes"; finish; }
made=$(dirname "$first")
planted=$top/examples/pbxlike/planted.txt
mkdir "$work/bin" "$work/home" && cd "$work" || exit 1
ln -s "$CORESCRUB" bin/ast_coredumper	# called by its name, as make install leaves it
export ASTERISK_BIN=pbxlike HOME="$work/home"
script=$work/bin/ast_coredumper
utc=2017-06-16T15-56-53Z

# a fresh folder with two cores in it, the second one newer
fresh() {
	cd "$work" && rm -rf now && mkdir now && cd now || exit 1
	cp "$first" core.1234
	cp "$first" core.1235
	touch -d '2017-06-16 15:56:53 UTC' core.1234
	touch -d '2017-06-17 10:00:00 UTC' core.1235
	echo 'no core' >core.notes
	mkdir core.folder
}
results() { for part in brief full info locks thread1; do echo "$1-$part.txt"; done; }
# holds NAME FILE…: exactly these are here
holds() {
	test_name=$1
	shift
	printf '%s\n' "$@" | sort >"$work/want"
	ls | sort >"$work/have"
	if cmp -s "$work/want" "$work/have"; then ok "$test_name"; else
		not_ok "$test_name"
		diff "$work/want" "$work/have"
	fi
}

fresh
expect "a core" 0 "$script" core.1234
holds "a core: renamed by its time, five texts" core-pbxlike-$utc $(results core-pbxlike-$utc) core.1235 \
	core.folder core.notes
check "says what it does" grep -q "^Creating .*core-pbxlike-$utc-thread1.txt$" "$work/.out"
check "and that it renames" grep -q "^Renaming core.1234 to .*core-pbxlike-$utc$" "$work/.out"
check "nothing planted in the texts" "$top/tests/cli/plants.py" "$planted" ./*.txt
check "for nobody else" sh -c 'test "$(stat -c %a core-pbxlike-*.txt | sort -u)" = 600'
expect "the same again replaces them" 0 "$script" "core-pbxlike-$utc"

fresh
expect "a pattern" 0 "$script" 'core!(.notes|*.txt)'
holds "a pattern: both cores" core-pbxlike-$utc $(results core-pbxlike-$utc) \
	core-pbxlike-2017-06-17T10-00-00Z $(results core-pbxlike-2017-06-17T10-00-00Z) core.folder core.notes

fresh
expect "--latest" 0 "$script" --latest --no-rename core.*
holds "--latest: only the newest, under its name" core.1234 core.1235 $(results core.1235) core.folder core.notes

fresh
expect "--tarball-results --delete-results-after" 0 \
	"$script" --tarball-results --delete-results-after --no-rename core.1234
holds "only the tarball" core.1234 core.1234.tar.gz core.1235 core.folder core.notes
check "it holds the texts" sh -c 'tar -tzf core.1234.tar.gz | grep -c "^core.1234/core.1234-.*.txt$" | grep -qx 5'
check "nothing planted in it" "$top/tests/cli/plants.py" "$planted" core.1234.tar.gz

fresh
mkdir out
expect "--outputdir and --delete-coredumps-after" 0 \
	"$script" --OUTPUTDIR=out --delete-coredumps-after=true core.1234
holds "the core is gone" core.1235 core.folder core.notes out
cd out && holds "the texts are elsewhere" $(results core-pbxlike-$utc)

fresh
expect "a date in local time" 0 env TZ=America/Denver "$script" '--dateformat=date +%FT%H:%M:%S%z' core.1234
check "no colon in a name" test -s core-pbxlike-2017-06-16T09-56-53-0600-full.txt
fresh
expect "DATEOPTS" 0 env DATEOPTS='-u +%s.%N' "$script" core.1234
check "seconds and nanoseconds" test -s core-pbxlike-1497628613.000000000-full.txt
expect "other options of date are refused" 2 "$script" '--dateopts=-r /etc/passwd' core.1235

fresh
expect "--tarball-uniqueid" 0 "$script" --tarball-results --tarball-uniqueid=ISSUE-77 --delete-results-after \
	--no-rename core.1234 core.1235
holds "tarballs of that name" core.1234 core.1235 pbxlike-ISSUE-77.results.tar.gz \
	pbxlike-ISSUE-77-2.results.tar.gz core.folder core.notes
expect "and of a core" 0 "$script" --tarball-coredumps --allow-plaintext --tarball-uniqueid=ISSUE-77 \
	--delete-results-after --no-rename core.1234
check "has its own" test -s pbxlike-ISSUE-77.coredumps.tar.gz

# of a core itself, only encrypted
fresh
"$CORESCRUB" keygen -o id 2>/dev/null
to=$(sed -n 's/^# public key: //p' id)
expect "--tarball-coredumps in the clear is refused" 2 "$script" --tarball-coredumps --no-default-search core.1234
holds "and nothing was written" core.1234 core.1235 core.folder core.notes id
expect "--tarball-coredumps --no-default-search" 0 \
	"$script" --tarball-coredumps --no-default-search --encrypt-to="$to" --no-rename core.1234
holds "the tarball beside the texts" core.1234 $(results core.1234) core.1234-handoff.tar.zst.age core.1235 \
	core.folder core.notes id
age -d -i id core.1234-handoff.tar.zst.age | tar --zstd -t >list
for member in core core.1234-full.txt sysroot"$made"/pbxlike sysroot/etc/os-release; do
	check "it holds ${member##*/}" grep -qx "core.1234/$member" list
done
expect "--allow-plaintext" 0 "$script" --tarball-coredumps --allow-plaintext --no-rename core.1234
check "the script's own name and layout" sh -c "tar -tzf core.1234.tar.gz | grep -qx core.1234.output/tmp/core.1234"
check "the core is whole" sh -c 'tar -xzOf core.1234.tar.gz core.1234.output/tmp/core.1234 | cmp - core.1234'
expect "both tarballs exclude each other" 2 "$script" --tarball-coredumps --tarball-results core.1234

fresh
mkdir configs && cp "$made/pbxlike.conf" configs/
expect "--tarball-config" 0 "$script" --tarball-results --tarball-config --etcdir=configs --no-rename core.1234
check "the configs go along, scrubbed" "$top/tests/cli/plants.py" "$planted" core.1234.tar.gz
check "they are there" sh -c 'tar -tzf core.1234.tar.gz | grep -q attachments/.*pbxlike.conf'
expect "--no-scrub" 0 "$script" --no-scrub --no-rename core.1234
check "names the risk" grep -q 'must not be published' "$work/.err"
check "and does it" sh -c "! '$top/tests/cli/plants.py' '$planted' core.1234-full.txt >/dev/null"
expect "but packs none of that" 2 "$script" --no-scrub --tarball-results core.1234

fresh
expect "a dry run" 0 "$script" --dry-run core.1234
holds "changes nothing" core.1234 core.1235 core.folder core.notes
expect "no core" 1 "$script" core.notes
check "says so" grep -q 'no coredumps found' "$work/.err"
expect "a core of another program" 1 env ASTERISK_BIN=asterisk "$script" core.1234
ln -s core.1234 core.link
expect "a link" 1 "$script" core.link
check "is named" grep -q 'core.link is skipped: it is a link' "$work/.err"
expect "an unknown option" 2 "$script" --frobnicate core.1234
expect "--help" 0 "$script" --help
if [ "$(id -u)" = 0 ]; then
	chown 4321 core.1235
	expect "a core of another user" 1 "$script" core.1235
	check "is named" grep -q 'core.1235 is skipped: it belongs to another user' "$work/.err"
fi

# as systemd-coredump leaves them
fresh
zstd -q core.1234 -o core.pbxlike.0.beef.1234.1497628613000000.zst
echo no core | gzip >core.tar.gz
expect "a compressed core" 0 "$script" 'core.*@(zst|gz)'
holds "five texts beside it" core.1234 core.1235 $(results core.pbxlike.0.beef.1234.1497628613000000) \
	core.folder core.notes core.pbxlike.0.beef.1234.1497628613000000.zst core.tar.gz

# two cores of one second: the script lost one of them
fresh
touch -r core.1234 core.1235
expect "two cores of one second" 0 "$script" core.1234 core.1235
holds "keep both" core-pbxlike-$utc $(results core-pbxlike-$utc) core-pbxlike-$utc-2 \
	$(results core-pbxlike-$utc-2) core.folder core.notes

# the running program
fresh
rm core.12*
PBXLIKE_THREADS=20 "$made/pbxlike" deadlock "$made/pbxlike.conf" >"$work/stuck" 2>&1 &
pid=$!
for i in $(seq 100); do grep -q stuck "$work/stuck" && break; sleep 0.1; done
echo y >"$work/yes"
said() { "$script" "$@" <"$work/yes" >"$work/.out" 2>"$work/.err"; }
check "--running --no-default-search" said --running --no-default-search --pid=$pid --outputdir=. \
	'--dateopts=-u +now'
cat "$work/.out"
holds "--running: its dump and five texts" core-pbxlike-running-now $(results core-pbxlike-running-now) \
	core.folder core.notes pbxlike.log
check "says how long it stood still" grep -q 'Dump is complete: .* stopped for 0\.' "$work/.out"
check "finds the deadlock in it" grep -qi 'deadlock: 3 threads' core-pbxlike-running-now-locks.txt
check "nothing planted in the texts" "$top/tests/cli/plants.py" "$planted" ./*.txt
check "it runs on" sh -c "grep -q '^State:.*[SR] ' /proc/$pid/status"
rm -f core-*
expect "unanswered, it is not dumped" 2 "$script" --running --pid=$pid --outputdir=.
expect "--RUNNING asks nothing" 0 "$script" --RUNNING --pid=$pid --outputdir=. --tarball-uniqueid=ISSUE-77
holds "--tarball-uniqueid is its name" core-pbxlike-running-ISSUE-77 $(results core-pbxlike-running-ISSUE-77) \
	core.folder core.notes pbxlike.log
"$made/pbxlike" deadlock "$made/pbxlike.conf" >/dev/null 2>&1 &
other=$!
for i in $(seq 100); do [ "$(cat /proc/$other/comm)" = pbxlike ] && break; sleep 0.1; done
expect "of two it takes neither" 2 "$script" --RUNNING --outputdir=.
check "and says how to name one" grep -q -e '--pid' "$work/.err"
kill $other
expect "another program's number" 2 "$script" --RUNNING --pid=$$ --outputdir=.
# a disk without room: nothing is stopped, nothing is left there
mkdir small
cat >full.sh <<END
mount -t tmpfs -o size=1m none small && "$script" --RUNNING --pid=$pid --outputdir=small; code=\$?
ls small; exit \$code
END
if [ "$(id -u)" = 0 ]; then
	expect "a full disk" 1 unshare -m sh full.sh
	check "is named with figures" grep -q 'MiB are free there' "$work/.err"
	check "and nothing lies there" sh -c "! grep -q ^core- '$work/.out'"
fi
kill $pid
wait 2>/dev/null
expect "no running program" 1 env ASTERISK_BIN=pbxlike "$script" --RUNNING --outputdir=.
finish

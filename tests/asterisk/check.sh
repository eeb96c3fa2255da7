#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A real Asterisk, Debian sid's package in a folder of its own: started with planted secrets, called by
# sipp, dumped while it runs, crashed. Needs root, debootstrap and sipp; ASTERISK_ROOT names the folder
# (made if it isn't there). make check-asterisk; no part of make check.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
here=$top/tests/asterisk
root=${ASTERISK_ROOT:-$top/build/asterisk-root}
calls=${CALLS:-40}
[ "$(id -u)" = 0 ] || { echo "check-asterisk: as root" >&2; exit 2; }
for program in debootstrap sipp age zstd; do
	command -v "$program" >/dev/null || { echo "check-asterisk: there is no $program" >&2; exit 2; }
done
in_root() { chroot "$root" env LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive HOME=/root "$@"; }

if [ ! -x "$root/usr/bin/apt-get" ]; then
	debootstrap --variant=minbase sid "$root"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
fi
bad=0 pid='' callers=''
stop() {
	for process in $pid $callers; do kill -KILL "$process" 2>/dev/null || true; done
	umount "$root/proc" "$root/dev" 2>/dev/null || true
}
trap stop EXIT
mountpoint -q "$root/proc" || mount --bind /proc "$root/proc"
mountpoint -q "$root/dev" || mount --bind /dev "$root/dev"
[ -x "$root/usr/sbin/asterisk" ] && [ -x "$root/usr/bin/gdb" ] ||
	in_root sh -c 'apt-get update -q && apt-get install -q -y --no-install-recommends asterisk \
		asterisk-modules gdb libhyperscan5 libpcre2-8-0 libyaml-0-2 libarchive13t64 libelf1t64 \
		libdw1t64 libjansson4 libseccomp2'
make -s -C "$top" install DESTDIR="$root" PREFIX=/usr
"$here/configs.sh" "$root/etc/asterisk"
rm -rf "$root/tmp/work" "$root"/tmp/core*
mkdir -m 1777 "$root/tmp/work"

check() {
	name=$1
	shift
	if "$@" >"$root/tmp/work/.check" 2>&1; then echo "ok - $name"; else
		echo "not ok - $name"
		tail -n 8 "$root/tmp/work/.check"
		bad=1
	fi
}
start() {
	in_root sh -c 'mkdir -p /run/asterisk && chown asterisk: /run/asterisk && cd /tmp/work && ulimit -c unlimited &&
		exec asterisk -f -g -U asterisk -G asterisk' >"$root/tmp/asterisk.out" 2>&1 &
	for i in $(seq 300); do
		in_root asterisk -rx 'core waitfullybooted' 2>/dev/null | grep -q booted && break
		sleep 0.2
	done
	pid=$(pgrep -x asterisk | head -n 1)
	(cd "$root/tmp" && exec sipp -sf "$here/call.xml" -s 4277 -i 127.0.0.1 -p 5072 -m "$calls" -r 20 \
		-l "$calls" -nostdin 127.0.0.1:5071) >/dev/null 2>&1 </dev/null &
	callers=$!
	sleep 8
	in_root asterisk -rx 'core show channels count' | head -n 2
}
# every text is there: a folder without files would hold nothing planted either
texts() { for part in thread1 brief full info locks; do test -s "$1-$part.txt" || return 1; done; }
# how many of the planted values a file holds in the clear
holds() { cut -f 2 "$here/planted.txt" | while read -r v; do grep -qaF -e "$v" "$1" && echo "$v"; done | wc -l; }

start
echo "== --RUNNING"
begin=$(date +%s%N)
in_root ast_coredumper --RUNNING --outputdir=/tmp/work --dateopts='-u +now' | tee "$root/tmp/running.out"
echo "in $((($(date +%s%N) - begin) / 1000000)) ms"
core=$root/tmp/work/core-asterisk-running-now
check "five files of the running one" texts "$core"
echo "planted values in that core: $(holds "$core") of $(wc -l <"$here/planted.txt")"
check "none in its texts" "$top/tests/cli/plants.py" "$here/planted.txt" "$core"-*.txt
check "calls go on" sh -c "test \$(chroot '$root' asterisk -rx 'core show channels count' | sed -n 's/ active call.*//p' | tail -n 1) = $calls"

echo "== a crash"
kill -SEGV "$pid"
for i in $(seq 100); do ls "$root"/tmp/work/core* 2>/dev/null | grep -qv running && break; sleep 0.2; done
while pgrep -x asterisk >/dev/null; do sleep 0.2; done
pid=
"$top/build/corescrub" keygen -o "$root/tmp/id" 2>/dev/null || true
to=$(sed -n 's/^# public key: //p' "$root/tmp/id")
begin=$(date +%s%N)
in_root sh -c "cd /tmp/work && ast_coredumper --latest --tarball-coredumps --tarball-config --encrypt-to=$to \
	--dateopts='-u +crash' core core.[0-9]*"
echo "in $((($(date +%s%N) - begin) / 1000000)) ms"
core=$root/tmp/work/core-asterisk-crash
check "five files of the crash" texts "$core"
echo "planted values in that core: $(holds "$core") of $(wc -l <"$here/planted.txt")"
check "none in its texts" "$top/tests/cli/plants.py" "$here/planted.txt" "$core"-*.txt
age -d -i "$root/tmp/id" "$core-handoff.tar.zst.age" | tar --zstd -t >"$root/tmp/list"
echo "modules in the hand-off: $(grep -c 'asterisk/modules/.*[.]so$' "$root/tmp/list")"
check "program and modules in the hand-off" sh -c "grep -q /usr/sbin/asterisk '$root/tmp/list' && grep -q modules/res_pjsip.so '$root/tmp/list'"
check "its configs in the hand-off" grep -q etc/asterisk/pjsip.conf "$root/tmp/list"
# the sample configs hold "secret = password" and the like: a person must look
in_root sh -c 'cd /tmp/work && ast_coredumper --tarball-results --delete-results-after --tarball-config \
	--no-rename --accept-open core-asterisk-crash'
check "a public tarball" test -s "$core.tar.gz"
check "none in the public tarball" "$top/tests/cli/plants.py" "$here/planted.txt" "$core.tar.gz"
ls -ls "$root/tmp/work"
exit "$bad"

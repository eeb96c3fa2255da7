#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what the build and the tests need, with the system's package manager (Debian, Ubuntu).
# Elsewhere, or without the right to install, it prints the list. Does nothing if all is there.
set -eu

build='gcc make pkg-config libc6-dev libhs-dev libpcre2-dev libyaml-dev libarchive-dev libelf-dev
libdw-dev zlib1g-dev libssl-dev libjansson-dev libseccomp-dev'
tests='libcmocka-dev g++ libc6-dbg gdb age tar gzip xz-utils bzip2 zstd lz4 zip unzip sqlite3 python3
python3-jsonschema procps openssl openssh-client tmux redis-server dwz gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static'

# Vectorscan and Hyperscan have one API. The first runs on every processor, but up to 5.4.12 it loses
# matches on x86 (corescrub notices, and does without it at a tenth of the speed); so Hyperscan where
# there is one.
libhs_name() {
	if apt-cache show libhyperscan-dev 2>/dev/null | grep -q '^Version'; then
		echo libhyperscan-dev
	else
		echo libvectorscan-dev
	fi
}

complete() {
	pkg-config --exists libhs libpcre2-8 yaml-0.1 libarchive zlib libelf libdw libcrypto jansson \
		libseccomp cmocka 2>/dev/null || return 1
	[ -d /usr/lib/debug/.build-id ] || return 1	# libc6-dbg: gdb names what a thread waits in
	for program in cc c++ make gdb age tar gzip xz bzip2 zstd lz4 zip unzip sqlite3 python3 \
		openssl ssh-keygen tmux redis-server dwz aarch64-linux-gnu-gcc qemu-aarch64-static; do
		command -v "$program" >/dev/null 2>&1 || return 1
	done
	python3 -c 'import jsonschema' 2>/dev/null || return 1
}

# A gdb without Python, unpacked beside the build folders: it can't be installed beside the other one.
minimal=$(cd "$(dirname "$0")/.." && pwd)/build-deps/gdb-minimal
fetch_minimal() {
	[ -x "$minimal/usr/bin/gdb" ] && return
	mkdir -p "$minimal"
	(cd "$minimal" && apt-get download -q gdb-minimal && dpkg -x gdb-minimal_*.deb .) >/dev/null 2>&1 ||
		{ echo "deps: can't fetch gdb-minimal" >&2; exit 1; }
}

complete && { fetch_minimal; exit 0; }
if ! command -v apt-get >/dev/null 2>&1; then
	echo "deps: no apt-get here; install what these Debian packages hold:" >&2
	echo $build $tests | tr ' ' '\n' >&2
	exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
	as_root=sudo
	command -v sudo >/dev/null 2>&1 || { echo "deps: run as root: make deps" >&2; exit 1; }
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q
list=$(echo $build $tests | sed "s/libhs-dev/$(libhs_name)/")
$as_root apt-get install -q -y --no-install-recommends $list
complete || { echo "deps: something is still missing" >&2; exit 1; }
fetch_minimal

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make install: the program works from where it was put, the man page and the completion are sound.
. "$(dirname "$0")/functions.sh"
cd "$top" || exit 1
check "make install" make -s install SANITIZE="${SANITIZE:-}" DESTDIR="$work/root" PREFIX=/usr
program=$work/root/usr/bin/corescrub
check "its own rules" sh -c "echo 'from 203.0.113.9' | '$program' scrub | grep -q 'ip4~'"
check "its own profiles" sh -c "sleep 100 & '$program' doctor --json \$! | grep -q '\"checks\"'; kill \$!
	test -s '$work/root/usr/share/corescrub/profiles/asterisk.yaml'"
check "the man page is clean" sh -c "
	command -v man >/dev/null || exit 0
	test -z \"\$(LC_ALL=C.UTF-8 MANROFFSEQ= man --warnings -l -Tutf8 '$work/root/usr/share/man/man1/corescrub.1' 2>&1 >/dev/null)\""
check "the completion" bash -c "
	. '$work/root/usr/share/bash-completion/completions/corescrub'
	COMP_WORDS=(corescrub sc) COMP_CWORD=1; _corescrub; [ \"\${COMPREPLY[*]}\" = scrub ]
	COMP_WORDS=(corescrub report --att) COMP_CWORD=2; _corescrub; [ \"\${COMPREPLY[*]}\" = --attach ]"
check "ast_coredumper is there by its name" sh -c "'$work/root/usr/bin/ast_coredumper' --help | grep -q -e --tarball-results"
check "its completion" bash -c "
	. '$work/root/usr/share/bash-completion/completions/ast_coredumper'
	COMP_WORDS=(ast_coredumper --tarball-r) COMP_CWORD=1; _ast_coredumper
	[ \"\${COMPREPLY[*]}\" = --tarball-results ]"
chmod 777 "$work/root/usr/share/corescrub/rules"
expect "rules that others can write are refused" 2 "$program" scrub README.md
finish

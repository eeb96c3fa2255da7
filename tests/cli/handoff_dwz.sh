#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What dwz moved out of programs and libraries into a file of its own goes along with them, and names variables for core.
. "$(dirname "$0")/functions.sh"
export DEBUGINFOD_URLS=
cd "$work" || exit 1
chmod 700 .
age-keygen -o identity 2>/dev/null
bt() { sed -n '/^#0/,$p' "$1"; }

for link in relative absolute; do
	mkdir -m 700 $link
	cd $link
	${CC:-cc} -g -O0 -shared -fPIC -o libledger.so "$top/tests/fixtures/ledger_lib.c"
	${CC:-cc} -g -O0 -o ledger "$top/tests/fixtures/ledger.c" -L. -lledger -Wl,-rpath,"$PWD"
	[ $link = relative ] && way=-r || way="-M $PWD/shared.debug"
	dwz -m shared.debug $way ledger libledger.so
	check "$link: dwz made a file for both" test -s shared.debug
	gdb -nx -batch -ex run -ex 'generate-core-file core' ./ledger >/dev/null 2>&1
	gdb -nx -batch -ex 'bt full' ./ledger core >plain 2>/dev/null
	check "$link: gdb knows the types" grep -q 'owner_password = "Larkspur' plain

	expect "$link: a package" 0 "$CORESCRUB" report --no-map -o r --with-core=raw --with-binaries --encrypt-to "$(age-keygen -y ../identity)" core
	mkdir un
	age -d -i ../identity r/*.age | tar --zstd -x -C un
	check "$link: it holds the file" cmp shared.debug un/*/sysroot"$PWD"/shared.debug
	mkdir gone
	mv ledger libledger.so shared.debug gone/
	un/*/open-in-gdb.sh -batch -ex 'bt full' >packed 2>packed.err
	bt plain >a
	bt packed >b
	check "$link: gdb prints the same elsewhere" cmp a b
	check "$link: and misses nothing" sh -c '! grep -i altlink packed.err'

	mv gone/* .
	expect "$link: scrubbed" 0 "$CORESCRUB" core -o scrubbed core
	check "$link: by the variable's name" sh -c '! grep -aq Larkspur-Tin scrubbed'

	# another file at its path
	mv shared.debug kept
	cp libledger.so shared.debug
	expect "$link: with another file there" 0 "$CORESCRUB" report --no-map -o other --with-core=raw --with-binaries --encrypt-to "$(age-keygen -y ../identity)" core
	check "$link: which is not packed" sh -c '! age -d -i ../identity other/*.age | tar --zstd -t | grep shared.debug'
	cd ..
done
finish

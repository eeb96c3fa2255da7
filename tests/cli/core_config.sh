#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# core learns the configuration that a profile knows, by a variable of the core, with DWARF and without.
. "$(dirname "$0")/functions.sh"
export DEBUGINFOD_URLS=
cd "$work" || exit 1
chmod 700 .
mkdir -m 700 out etc mine
mkdir etc/configured
value=Zephyr-Quarry-8842
printf '[trunk]\nsecret = %s\n' $value >etc/configured/trunk.conf
printf %s $value >input
printf 'profile: c\nprogram: [configured]\nconfig-folder: "/*/configured"\nconfig-variable: configured_folder\n' >mine/c.yaml

scrubbed() { # OUT OPTION…
	to=$1
	shift
	expect "$to" 0 "$CORESCRUB" core -o "out/$to" "$@" core
}
has() { grep -aq $value "$1"; }
has_not() { ! has "$1"; }
crash() {
	rm -f core
	gdb -nx -batch -ex "run '$PWD/etc/configured' <input" -ex 'generate-core-file core' ./configured >/dev/null 2>&1
}

for debug in -g -g0; do
	rm -f out/*
	cc $debug -O0 -o configured "$top/tests/fixtures/configured.c"
	crash
	check "$debug: the value is in the core" has core
	scrubbed without
	check "$debug: nothing says what it is" has out/without
	scrubbed with --profile mine
	check "$debug: learned by the profile" has_not out/with
	scrubbed unlearned --profile mine --no-learn
	check "$debug: --no-learn" has out/unlearned
done
printf 'profile: c\nprogram: [configured]\nconfig-folder: "/*/other"\nconfig-variable: configured_folder\n' >mine/c.yaml
scrubbed elsewhere --profile mine
check "a folder that is not like the profile's is not read" has out/elsewhere
finish

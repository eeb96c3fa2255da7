#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Module age against the age command, both ways: every kind of recipient, armored and not, and a passphrase
# typed at a terminal. And keygen, whose identity is age-keygen's.
. "$(dirname "$0")/functions.sh"
cd "$work" || exit 1
tool=$B/tests/bench/age_tool

"$CORESCRUB" keygen -o x25519 2>printed
ssh-keygen -q -t ed25519 -N '' -f ed25519
ssh-keygen -q -t rsa -b 3072 -N '' -f rsa
age-keygen -o stranger 2>/dev/null
age-keygen -y x25519 >x25519.pub
printf 'correct horse battery' >phrase

check "keygen: mode 0600" test "$(stat -c %a x25519)" = 600
check "keygen: three lines" test "$(wc -l <x25519)" = 3
check "keygen: prints the public key" test "$(cat printed)" = "Public key: $(cat x25519.pub)"
check "keygen: names it in the file" grep -qx "# public key: $(cat x25519.pub)" x25519
check "keygen: age-keygen's date" grep -Eqx '# created: [0-9-]{10}T[0-9:]{8}Z' x25519
expect "keygen: does not overwrite" 2 "$CORESCRUB" keygen -o x25519
expect "keygen: to stdout" 0 "$CORESCRUB" keygen
cp .out printed
expect "keygen: age reads it" 0 age-keygen -y printed
expect "keygen: takes no operand" 2 "$CORESCRUB" keygen x25519

# same FILE COMMAND…: the command's output is the file
same() {
	expected=$1
	shift
	"$@" >got 2>err && cmp "$expected" got
}
ours() { "$tool" "$@" 2>/dev/null; }

: >in.0
printf x >in.1
head -c 65535 /dev/urandom >in.65535
head -c 65536 /dev/urandom >in.65536
head -c 65537 /dev/urandom >in.65537
head -c 1000000 /dev/urandom >in.1000000
for kind in x25519 ed25519 rsa; do
	for armor in '' -a; do
		for size in 0 1 65535 65536 65537 1000000; do
			name="$kind${armor:+ armored}, $size bytes"
			in=in.$size
			ours encrypt $armor -r "$(cat $kind.pub)" <$in >ours.age
			check "$name: age opens ours" same $in age -d -i $kind ours.age
			age $armor -r "$(cat $kind.pub)" -o theirs.age $in
			check "$name: ours opens age's" same $in "$tool" decrypt -i $kind <theirs.age
			rm theirs.age
		done
	done
	check "$kind: a stranger can't" test "$("$tool" decrypt -i stranger <ours.age 2>&1 | tail -n 1)" = \
		"age_tool: error -10: none of the identities fits"
done

cat x25519.pub ed25519.pub rsa.pub >all
ours encrypt -R all <in.65537 >ours.age
age -R all -o theirs.age in.65537
for kind in x25519 ed25519 rsa; do
	check "several recipients: age opens ours with $kind" same in.65537 age -d -i $kind ours.age
	check "several recipients: ours opens age's with $kind" same in.65537 \
		"$tool" decrypt -i stranger -i $kind <theirs.age
done

at_terminal() { "$top/tests/cli/terminal.py" phrase "$@" >shown; }
for armor in '' -a; do
	rm -f ours.age theirs.age got
	ours encrypt $armor -P phrase <in.65537 >ours.age
	at_terminal age -d -o got ours.age
	check "passphrase${armor:+ armored}: age opens ours" cmp in.65537 got
	at_terminal age -p $armor -o theirs.age in.65537
	check "passphrase${armor:+ armored}: ours opens age's" same in.65537 \
		"$tool" decrypt -P phrase <theirs.age
done
printf wrong >wrong
expect "passphrase: a wrong one" 1 sh -c "'$tool' decrypt -P wrong <theirs.age"
check "passphrase: a wrong one gives nothing" test ! -s .out

# A pipe gives what a file gives; memory does not grow with the input.
peak() {
	python3 -c 'import resource, subprocess, sys
code = subprocess.run(["sh", "-c", sys.argv[1]]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if code == 0 else 1 << 40)' "$1"
}
# grows_not NAME SMALL LARGE COMMAND: reading $in, its peaks in KiB differ by less than 4 MiB
grows_not() {
	small=$(in=$2 peak "$4")
	large=$(in=$3 peak "$4")
	check "$1: no more memory for 100 MB than for 1 MB" test "$large" -lt $((small + 4096))
}
export in tool
head -c 100000000 /dev/zero >large
head -c 1000000 /dev/zero >small
grows_not encrypt small large 'cat $in | "$tool" encrypt -R x25519.pub 2>/dev/null >$in.age'
grows_not "encrypt armored" small large 'cat $in | "$tool" encrypt -a -R x25519.pub 2>/dev/null >$in.asc'
grows_not decrypt small.age large.age 'cat $in | "$tool" decrypt -i x25519 >out'
check "100 MB through pipes" cmp large out
grows_not "decrypt armored" small.asc large.asc 'cat $in | "$tool" decrypt -i x25519 >out'
check "100 MB through pipes, armored" cmp large out
finish

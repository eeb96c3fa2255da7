#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The package for the developer: refused without a recipient, whole for each kind of one, the same
# backtrace out of it, nothing of the clear core beside it.
. "$(dirname "$0")/functions.sh"
core=$(example_core null) || { not_ok "the example crashes"; finish; }
exe=$(dirname "$core")/pbxlike
cd "$work" || exit 1
age-keygen -o x25519 2>/dev/null
age-keygen -y x25519 >x25519.pub
ssh-keygen -q -t ed25519 -N '' -f ed25519
ssh-keygen -q -t rsa -b 3072 -N '' -f rsa
ssh-keygen -q -t ecdsa -N '' -f ecdsa
mkdir -p config/more open-folder
echo 'secret = Amber-Falcon-27' >config/main.conf
echo 'note' >config/more/other.conf
chmod 0777 open-folder

# refused STATUS WORDS ARGUMENTS…: nothing written, a message with these words
refused() {
	words=$1
	shift
	rm -f .out .err .check
	before=$(ls -A)
	expect "refused: $(echo "$*" | cut -c 1-50)" 2 setsid -w "$CORESCRUB" report --no-map "$@" "$core"
	check "  and says so" grep -q -e "$words" .err
	rm -f .out .err .check
	check "  and nothing is there" test "$(ls -A)" = "$before"
	rm -f .check
}
for what in --with-core=raw --with-core=scrubbed --with-core=stacks --with-binaries --with-config=config; do
	refused 'encrypted only' -o r "$what"
done
refused 'raw, scrubbed or stacks' -o r --with-core=all --encrypt-to "$(cat x25519.pub)"
refused 'nothing to encrypt' -o r --encrypt-to "$(cat x25519.pub)"
refused 'begins like none' -o r --with-core=raw --encrypt-to bob
refused 'with-config=DIR' -o r --with-config --encrypt-to "$(cat x25519.pub)"
refused 'others can write' -o open-folder/r --with-core=raw --encrypt-to "$(cat x25519.pub)"
refused 'exists' -o open-folder --with-core=raw --encrypt-to "$(cat x25519.pub)"
refused 'exists' -o /dev/tty --with-core=raw --encrypt-to "$(cat x25519.pub)"
refused 'no terminal' -o r --with-core=raw --passphrase
refused 'mistyped' -o r --with-core=raw --encrypt-to "$(cat x25519.pub)x"

cat x25519.pub ecdsa.pub rsa.pub >several
expect "to three recipients" 0 "$CORESCRUB" report --no-map -o r --with-core=raw --with-binaries \
	--with-config=config --attach config/main.conf --encrypt-to "$(cat ed25519.pub)" \
	--recipients-file several "$core"
package=r/core-pbxlike-null-handoff.tar.zst.age
check "names the file" grep -q "$package" .out
check "names whom it is for" test "$(grep -c -e 'x25519 [0-9a-f]\{16\}$' -e 'ssh-[a-z0-9]* [0-9a-f]\{16\}$' .out)" = 3
check "tells of a key it can't use" grep -q 'passed over' .err
check "mode 0600" test "$(stat -c %a "$package")" = 600
for kind in x25519 ed25519 rsa; do
	check "age opens it with $kind" sh -c "age -d -i $kind $package | cmp - clear.$kind 2>/dev/null || \
		age -d -i $kind $package >clear.tar.zst"
done
mkdir -p un
check "tar unpacks it" tar --zstd -xf clear.tar.zst -C un
name=un/core-pbxlike-null
check "the core as it was" cmp "$core" $name/core
check "the program as it was" cmp "$exe" "$name/sysroot$exe"
check "the configuration as it was" diff -r config $name/etc/config
check "the manifest holds" python3 - $name <<'P'
import hashlib, json, os, sys
os.chdir(sys.argv[1])
manifest = json.load(open("manifest.json"))
listed = {f["path"]: f for f in manifest["files"]}
there = {os.path.relpath(os.path.join(d, f)) for d, _, files in os.walk(".") for f in files}
assert there - {"manifest.json"} == set(listed), there ^ set(listed)
for path, f in listed.items():
    data = os.readlink(path).encode() if os.path.islink(path) else open(path, "rb").read()
    assert f["size"] == len(data), path
    assert f["sha256"] == hashlib.sha256(data).hexdigest(), path
assert manifest["core"]["mode"] == "raw"
assert len(manifest["recipients"]) == 3 and manifest["recipients"][0].startswith("ssh-ed25519 ")
P
tokens() { grep -rhao '\[[a-z0-9-]*~[a-z2-7]*\]' "$@" | sort -u; }
check "it has tokens" test -n "$(tokens $name/core-pbxlike-null-full.txt)"
tokens r/*-full.txt >public
tokens $name/*-full.txt >private
check "as many as the public report" test "$(wc -l <public)" = "$(wc -l <private)"
check "and not one of them the same" test -z "$(comm -12 public private)"
check "attachments too" grep -q 'secret~' $name/attachments/main.conf
mv "$package" .
check "nothing planted beside it" "$top/tests/cli/plants.py" "$top/examples/pbxlike/planted.txt" r
check "the public manifest names no recipient" grep -q '"recipients": \[\]' r/*-manifest.json

bt() { sed -n '/^Thread /,$p'; }
gdb -nx -batch -ex 'set width 0' -ex 'thread apply all bt' "$exe" "$core" 2>/dev/null | bt >plain
check "gdb sees threads" test -s plain
frames() { sed -n '/^#/s/ (.*) \(at\|from\) / \1 /p'; }
frames <plain >frames
"$name/open-in-gdb.sh" -batch -ex 'set width 0' -ex 'thread apply all bt' 2>/dev/null | bt >out
check "open-in-gdb.sh prints the same" cmp plain out
(cd / && exec "$work/$name/open-in-gdb.sh" -batch -ex 'set width 0' -ex 'thread apply all bt') 2>/dev/null | bt >out
check "from another folder too" cmp plain out

# Another build of the program at its path, another user, an empty folder.
"$top/examples/pbxlike/crash.sh" null "$work/own" >/dev/null 2>&1
expect "a crash of its own" 0 "$CORESCRUB" report --no-map -o own.report --with-core=raw --with-binaries \
	--encrypt-to "$(cat x25519.pub)" own/core-pbxlike-null
gdb -nx -batch -ex 'set width 0' -ex 'thread apply all bt' own/pbxlike own/core-pbxlike-null 2>/dev/null |
	bt >plain.own
${CC:-cc} -g -o own/pbxlike "$top/tests/fixtures/fakegdb.c"
mkdir un.own empty
age -d -i x25519 own.report/*.age | tar --zstd -x -C un.own
un.own/*/open-in-gdb.sh -batch -ex 'set width 0' -ex 'thread apply all bt' 2>/dev/null | bt >out
check "the program was rebuilt: the same text" cmp plain.own out
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	cp own.report/*.age x25519 empty/
	chown -R 65534:65534 empty
	chmod 711 .
	as_nobody() { (cd empty && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"); }
	# where the build can't be reached by others, only the script is tried
	as_nobody test -x "$CORESCRUB" || CORESCRUB_OF_NOBODY=no
	[ -n "${CORESCRUB_OF_NOBODY:-}" ] || as_nobody env HOME=/nonexistent TMPDIR="$work/empty" "$CORESCRUB" open -o opened -i x25519 \
		core-pbxlike-null-handoff.tar.zst.age -- -batch -ex 'set width 0' -ex 'thread apply all bt' \
		2>err | bt | frames >out
	frames <plain.own >frames.own
	[ -n "${CORESCRUB_OF_NOBODY:-}" ] || check "open as another user: the same frames" cmp frames.own out
	[ -d empty/opened ] || { age -d -i x25519 own.report/*.age | tar --zstd -x -C empty &&
		mv empty/core-pbxlike-null empty/opened && chmod -R a+rX empty/opened; }
	as_nobody opened/open-in-gdb.sh -batch -ex 'set width 0' -ex 'thread apply all bt' 2>/dev/null | bt >out
	check "the script as another user: the same text" cmp plain.own out
fi

# A scrubbed core: nothing planted even for the recipient, and the same frames.
for mode in scrubbed stacks; do
	expect "$mode" 0 "$CORESCRUB" report --no-map -o $mode --with-core=$mode --with-binaries \
		--encrypt-to "$(cat x25519.pub)" "$core"
	mkdir un.$mode
	age -d -i x25519 $mode/*.age | tar --zstd -x -C un.$mode
	check "$mode: nothing planted in the core" "$top/tests/cli/plants.py" \
		"$top/examples/pbxlike/planted.txt" un.$mode/core-pbxlike-null/core
	check "$mode: the manifest says so" grep -q "\"mode\": \"$mode\"" un.$mode/*/manifest.json
	un.$mode/*/open-in-gdb.sh -batch -ex 'set width 0' -ex 'thread apply all bt' 2>/dev/null |
		bt | frames >out
	check "$mode: frames as in plain gdb" sh -c 'test -s out && diff frames out'
done

# The settings' recipients count where none is typed.
printf 'report:\n  recipients:\n    - %s\n' "$(cat x25519.pub)" >settings.yaml
expect "recipients of the settings" 0 "$CORESCRUB" report --config settings.yaml --no-map -o s \
	--with-config=config "$core"
check "age opens it" sh -c "age -d -i x25519 s/*.age | tar --zstd -t | grep -q etc/config/main.conf"
check "without a core there is none" sh -c "! age -d -i x25519 s/*.age | tar --zstd -t | grep -q -e /core$ -e open-in"
expect "no hand-off was asked for" 0 "$CORESCRUB" report --config settings.yaml --no-map -o n "$core"
check "and none made" sh -c '! ls n/*.age'

# What is not the file that was mapped stays here, and the manifest says so.
mkdir other
cp "$exe" other/pbxlike-moved
cp --sparse=always "$core" core.moved
expect "another build" 0 "$CORESCRUB" report --no-map -o o --sysroot other --with-binaries \
	--encrypt-to "$(cat x25519.pub)" core.moved
age -d -i x25519 o/*.age | tar --zstd -xO core.moved/manifest.json >manifest
check "is not packed" sh -c "! grep -q '\"path\": \"sysroot' manifest"
check "and named" grep -q 'libc.so.6' manifest
expect "the user's word" 0 "$CORESCRUB" report --no-map -o e --sysroot other --exe other/pbxlike-moved \
	--with-binaries --encrypt-to "$(cat x25519.pub)" core.moved
check "packs it at the program's path" sh -c \
	"age -d -i x25519 e/*.age | tar --zstd -xO 'core.moved/sysroot$exe' | cmp - '$exe'"
finish

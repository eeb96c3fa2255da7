#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# open: what a developer gets of a hand-off, and that a package which means harm gets nowhere.
. "$(dirname "$0")/functions.sh"
core=$(example_core deadlock) || { not_ok "the example crashes"; finish; }
exe=$(dirname "$core")/pbxlike
cd "$work" || exit 1
mkdir tmp
export TMPDIR=$work/tmp
age-keygen -o identity 2>/dev/null
age-keygen -y identity >recipient
age-keygen -o stranger 2>/dev/null
ssh-keygen -q -t ed25519 -N '' -C '' -f signer
ssh-keygen -q -t ed25519 -N '' -C '' -f other

# nothing_left NAME: neither in the folder of temporary files nor in ours
nothing_left() {
	check "$1: nothing is left" test -z "$(ls -A tmp)$(ls -d .corescrub-* opened 2>/dev/null)"
}
bt() { sed -n '/^Thread /,$p'; }

"$CORESCRUB" report --no-map -o r --with-core=raw --with-binaries --encrypt-to "$(cat recipient)" "$core" \
	>/dev/null 2>&1
package=$(ls r/*.age)
gdb -nx -batch -ex 'set width 0' -ex 'thread apply all bt' "$exe" "$core" 2>/dev/null | bt >plain
expect "a hand-off" 0 "$CORESCRUB" open -i identity "$package" -- -batch -ex 'set width 0' \
	-ex 'thread apply all bt'
bt <.out >out
check "prints what gdb printed there" cmp plain out
check "says that the sender is unknown" grep -q 'sender is unknown' .err
nothing_left "a hand-off"
expect "with -o" 0 "$CORESCRUB" open -o opened -i stranger -i identity "$package" -- -batch
check "the folder stays" cmp "$core" opened/core
check "and is private" test "$(stat -c %a opened)$(stat -c %a opened/core)" = 700600
rm -rf opened
mkdir opened
expect "a folder that is there" 2 "$CORESCRUB" open -o opened -i identity "$package" -- -batch
check "is left alone" test -z "$(ls -A opened)"
rmdir opened
mkdir -m 777 public
expect "a folder that others can write to" 2 "$CORESCRUB" open -o public/opened -i identity "$package" -- -batch
check "gets nothing" test -z "$(ls -A public)"
expect "a stranger" 1 "$CORESCRUB" open -i stranger "$package" -- -batch
nothing_left "a stranger"
expect "without an identity" 1 "$CORESCRUB" open "$package" -- -batch
check "says what to do" grep -q -e '-i IDENTITY' .err
expect "without a package" 2 "$CORESCRUB" open -i identity
expect "one that is not there" 1 "$CORESCRUB" open -i identity nowhere.age
expect "the clear tar" 0 sh -c "age -d -i identity $package >clear.tar.zst && \
	'$CORESCRUB' open clear.tar.zst -- -batch"

# at a terminal: a prompt, an answer, the key that interrupts, an end
check "a terminal" timeout 100 python3 - "$CORESCRUB" "$package" <<'P'
import os, pty, sys
os.environ["TERM"] = "dumb"
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], [sys.argv[1], "open", "-q", "-i", "identity", sys.argv[2]])
shown = b""
def until(text):
    global shown
    while text not in shown:
        shown += os.read(fd, 4096)
    shown = shown.split(text, 1)[1]
until(b"(gdb) ")
os.write(fd, b"p 6*7\n")
until(b"$1 = 42")
until(b"(gdb) ")
os.write(fd, b"set pagination off\nwhile 1\necho tick\\n\nend\n")
until(b"tick\r\ntick\r\n")	# it runs: an interrupt before would throw away what was typed
os.write(fd, b"\x03")
until(b"Quit")
until(b"(gdb) ")
os.write(fd, b"quit\n")
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
P
nothing_left "a terminal"

# gdb is confined unless asked otherwise
expect "gdb can't run programs" 1 "$CORESCRUB" open -i identity "$package" -- -batch -ex 'shell echo ran >&2'
check "it did not" sh -c '! grep -q ^ran .out .err'
echo secret >private
expect "nor read files" 1 "$CORESCRUB" open -i identity "$package" -- -batch \
	-ex "python print(open('$work/private').read())"
check "it did not" sh -c '! grep -q secret .out'
expect "but can with --unconfined" 0 "$CORESCRUB" open --unconfined -i identity "$package" -- -batch \
	-ex 'shell echo ran'
check "it did" grep -q ^ran .out
expect "gdb's failure" 1 "$CORESCRUB" open -i identity "$package" -- -batch -ex frobnicate

# who sent it
printf 'me@example.com namespaces="corescrub" %s\n' "$(cat signer.pub)" >allowed
ssh-keygen -q -Y sign -n corescrub -f signer "$package" >/dev/null 2>&1
expect "signed" 0 "$CORESCRUB" open -v --allowed-signers allowed -i identity "$package" -- -batch
check "by whom" grep -q 'signed by me@example.com' .err
check "is not unknown" sh -c '! grep -q unknown .err'
expect "signed, and nobody asked" 0 "$CORESCRUB" open -i identity "$package" -- -batch
check "is unknown" grep -q 'sender is unknown' .err
rm "$package.sig"
expect "not signed" 0 "$CORESCRUB" open --allowed-signers allowed -i identity "$package" -- -batch
check "is unknown" grep -q 'sender is unknown' .err
ssh-keygen -q -Y sign -n corescrub -f other "$package" >/dev/null 2>&1
expect "signed by another" 2 "$CORESCRUB" open --allowed-signers allowed -i identity "$package" -- -batch
nothing_left "signed by another"
rm "$package.sig"
ssh-keygen -q -Y sign -n file -f signer "$package" >/dev/null 2>&1
expect "signed for something else" 2 "$CORESCRUB" open --allowed-signers allowed -i identity "$package" -- -batch
rm "$package.sig"
cp "$package" changed.age
ssh-keygen -q -Y sign -n corescrub -f signer changed.age >/dev/null 2>&1
printf x >>changed.age
expect "changed after it was signed" 2 "$CORESCRUB" open --allowed-signers allowed -i identity changed.age -- -batch
nothing_left "changed after it was signed"
expect "and without a look at who" 1 "$CORESCRUB" open -i identity changed.age -- -batch

# a passphrase, typed at a terminal
printf 'correct horse battery' >phrase
mkdir config
echo 'note = 1' >config/a.conf
at_terminal() { "$top/tests/cli/terminal.py" phrase "$@"; }
expect "a passphrase, typed twice" 0 at_terminal "$CORESCRUB" report --no-map -o phrased \
	--with-config=config --passphrase "$core"
check "is not shown" sh -c '! grep -q horse .out'
phrased=$(ls phrased/*.age)
expect "age opens it" 0 at_terminal age -d -o clear.tar.zst "$phrased"
check "with what was packed" sh -c 'tar --zstd -xOf clear.tar.zst core-pbxlike-deadlock/etc/config/a.conf | cmp - config/a.conf'
expect "open asks for it" 0 at_terminal "$CORESCRUB" open -o opened "$phrased"
check "and shows the texts" grep -q '!@!@!@! full.txt' .out
check "and has the configuration" cmp config/a.conf opened/etc/config/a.conf
rm -rf opened
printf 'something else' >phrase
expect "a wrong one" 1 at_terminal "$CORESCRUB" open -o opened "$phrased"
nothing_left "a wrong one"
expect "no terminal" 2 setsid -w "$CORESCRUB" open -o opened "$phrased"
nothing_left "no terminal"

# a public package shows its texts
expect "a public package" 0 "$CORESCRUB" open r/*.tar.gz
for part in info thread1 locks brief full; do
	check "shows $part" grep -q "!@!@!@! $part.txt" .out
done
nothing_left "a public package"

# hostile ones
mkdir bad
python3 "$top/tests/cli/hostile_packages.py" bad
for file in bad/*.tar.gz; do
	name=$(basename "$file" .tar.gz)
	case $name in
	good*) expect "$name" 0 "$CORESCRUB" open -o opened "$file" && rm -rf opened ;;
	*)
		expect "$name is refused" 1 timeout 60 "$CORESCRUB" open -o opened "$file"
		[ ! -s .out ] || not_ok "$name: something was shown"
		;;
	esac
	nothing_left "$name"
done
check "nothing was planted" test ! -e /tmp/planted-by-package -a ! -e planted-by-package
age -r "$(cat recipient)" -o bad.age bad/link-out.tar.gz
expect "encrypted, it is refused too" 1 "$CORESCRUB" open -i identity -o opened bad.age
nothing_left "encrypted"

# Bits flipped, and cuts at chunks' edges: FLIPS of each kind, all of the header's with FLIPS=all.
age -r "$(cat recipient)" -o small.age bad/good.tar.gz
head -c 300000 /dev/urandom >noise
tar -czf noise.tar.gz noise
age -r "$(cat recipient)" -o noise.age noise.tar.gz
check "no damaged one is opened" python3 - "$CORESCRUB" "${FLIPS:-12}" <<'P'
import os, random, subprocess, sys
program, wanted = sys.argv[1:]
r = random.Random(7)
def refused(data, what):
    with open("damaged.age", "wb") as f:
        f.write(data)
    p = subprocess.run([program, "open", "-q", "-o", "opened", "-i", "identity", "damaged.age"],
                       stdin=subprocess.DEVNULL, capture_output=True)
    assert p.returncode in (1, 2), "%s: exit %d" % (what, p.returncode)
    assert not p.stdout and not os.path.exists("opened") and not os.listdir("tmp"), what
    assert not [f for f in os.listdir(".") if f.startswith(".corescrub-")], what
count = 0
for name in ("small.age", "noise.age"):
    data = open(name, "rb").read()
    first = [(i, b) for i in range(min(2000, len(data))) for b in range(8)]
    flips = first if wanted == "all" else r.sample(first, int(wanted))
    more = 2000 if wanted == "all" else int(wanted)
    flips += [(r.randrange(len(data)), r.randrange(8)) for _ in range(more)]
    for at, bit in flips:
        refused(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:], "%s: bit %d of byte %d" % (name, bit, at))
        count += 1
    header = data.index(b"\n--- ")
    header = data.index(b"\n", header + 5) + 1 + 16
    for cut in [0, 1, header - 16, header] + list(range(header, len(data), 65552)) + [len(data) - 1]:
        refused(data[:cut], "%s cut at %d" % (name, cut))
        count += 1
print(count, "damaged files refused")
P
finish

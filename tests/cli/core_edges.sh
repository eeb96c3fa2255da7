#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# core: values that lie over the edges of the pieces in which a core is read and written.
. "$(dirname "$0")/functions.sh"
cd "$work" || exit 1
chmod 700 .
python3 - <<'EOF'
import struct
MIB = 1 << 20
note = struct.pack("<III", 5, 336, 1) + b"CORE\0\0\0\0" + bytes(336)
head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
size = 10 * MIB
head += struct.pack("<IIQQQQQQ", 4, 4, 512, 0, 0, len(note), 0, 4)
head += struct.pack("<IIQQQQQQ", 1, 6, 4096, 0x7f0000000000, 0, size - 4096, size - 4096, 4096)
core = bytearray(head.ljust(512, b"\0") + note)
core = core.ljust(size, b"\0")
secret = b"Heron-Basalt-4471-quill"
for i, edge in enumerate(range(2 * MIB, size, 2 * MIB)):
    at = edge - 1 - 5 * i
    core[at:at + len(secret)] = secret
# one behind the other over an edge, in base64 and UTF-16 too
core[6 * MIB - 4000:6 * MIB + 4000] = (secret + b"\0") * 333 + b"\1" * 8
core[5 * MIB:5 * MIB + 46] = secret.decode().encode("utf-16-le")
open("raw.core", "wb").write(core)
open("secrets.conf", "wb").write(b"[peer]\nsecret=" + secret + b"\n")
EOF
gone() { # CORE
	! grep -aq -e 'Heron' -e 'Basalt' -e '4471' -e 'quill' "$1" &&
		! tr -d '\000' <"$1" | grep -aq -e 'Heron' -e 'Basalt' -e '4471' -e 'quill'
}
for jobs in 1 2 5; do
	expect "$jobs threads" 0 "$CORESCRUB" core -q -j $jobs --learn secrets.conf -o "out$jobs" raw.core
	check "$jobs threads: gone at every edge" gone "out$jobs"
	check "$jobs threads: the same size" test "$(stat -c %s raw.core)" = "$(stat -c %s "out$jobs")"
done
finish

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the corpus of fuzz_unpack anew: small packages, sound ones and others, and what a child would say of them."""
import gzip
import io
import os
import struct
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tar_entry import entry  # noqa: E402

FILE, DATA, LINK, TARGET, DAMAGED, END = range(6)


def frame(kind, data=b"", value=0, executable=0):
    return struct.pack("<HHIQ", kind, executable, len(data), value) + data


def tar(*entries, format=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as t:
        for info, data in entries:
            t.addfile(info, io.BytesIO(data))
    return out.getvalue().rstrip(b"\0") + bytes(1024)


def symlink(name, target):
    return entry(name, type=tarfile.SYMTYPE, linkname=target)


text = entry("p/README.txt", b"a text\n")
library = entry("p/sysroot/usr/c.so", b"\x7fELF")
sparse = entry("p/core", b"2\n0\n4\n1048576\n4\n".ljust(512, b"\0") + b"headtail", pax_headers={
    "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "p/core", "GNU.sparse.realsize": "1048580"})
good = tar(text, library, symlink("p/sysroot/c.so", "usr/c.so"))
said = frame(FILE, b"p/README.txt", 7) + frame(DATA, b"a text\n") + frame(FILE, b"p/sysroot/usr/c.so", 4, 1) + \
    frame(DATA, b"\x7fELF") + frame(LINK, b"p/sysroot/c.so") + frame(TARGET, b"usr/c.so")
cases = {
    "good": good,
    "good-gz": gzip.compress(good, mtime=0),
    "good-sparse": tar(text, sparse, format=tarfile.PAX_FORMAT),
    "cut": good[:1300],
    "twice": tar(text, text),
    "link-out": tar(library, symlink("p/sysroot/x", "../../../etc/passwd")),
    "link-up": tar(library, symlink("p/sysroot/x", "../README.txt"), text),
    "link-to-link": tar(library, symlink("p/sysroot/x", "y"), symlink("p/sysroot/y", "usr/c.so")),
    "through-link": tar(symlink("p/sysroot/d", "usr"), entry("p/sysroot/d/x", b"x")),
    "absolute": tar(entry("/etc/x", b"x")),
    "up": tar(entry("p/../../x", b"x")),
    "other-root": tar(text, entry("q/x", b"x")),
    "device": tar(entry("p/x", type=tarfile.CHRTYPE, devmajor=1, devminor=3)),
    "hard-link": tar(text, entry("p/x", type=tarfile.LNKTYPE, linkname="p/README.txt")),
    "long-name": tar(entry("p/" + "x" * 300, b"x")),
    "said-good": b"frames\n" + said + frame(END),
    "said-damaged": b"frames\n" + said + frame(DAMAGED),
    "said-cut": b"frames\n" + said,
    "said-behind-end": b"frames\n" + frame(FILE, b"p/x", 4) + frame(DATA, b"abcd", 2**64 - 2) + frame(END),
    "said-data-first": b"frames\n" + frame(DATA, b"abcd") + frame(END),
    "said-huge": b"frames\n" + frame(FILE, b"p/x", 2**63) + frame(END),
    "said-up": b"frames\n" + frame(FILE, b"p/../x", 1) + frame(END),
    "said-link-absolute": b"frames\n" + frame(LINK, b"p/sysroot/x") + frame(TARGET, b"/etc/passwd") + frame(END),
    "said-nul": b"frames\n" + frame(FILE, b"p/x\0y", 1) + frame(END),
    "said-long": b"frames\n" + struct.pack("<HHIQ", FILE, 0, 2**31, 1) + b"p/x",
}
to = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "unpack")
os.makedirs(to, exist_ok=True)
for name, data in cases.items():
    with open(os.path.join(to, name), "wb") as f:
        f.write(data)

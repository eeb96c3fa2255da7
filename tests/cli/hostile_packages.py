#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hostile_packages.py FOLDER: packages as somebody would make them who means harm, one file each. Those whose names
begin with "good" are sound: they show that the others are refused for what they are."""
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tar_entry import entry  # noqa: E402


def listed(path, data, kind="config"):
    return {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "kind": kind}


def package(name, entries, files, manifest=True, format=tarfile.GNU_FORMAT, zstd=False):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=format) as t:
        for info, data in entries:
            t.addfile(info, io.BytesIO(data))
        if manifest:
            text = manifest if isinstance(manifest, bytes) else json.dumps(
                {"schema": "corescrub-manifest-1", "files": files}).encode()
            t.addfile(*[(i, io.BytesIO(d)) for i, d in [entry("p/manifest.json", text)]][0])
    with open(os.path.join(sys.argv[1], name + ".tar.gz"), "wb") as out:
        out.write(subprocess.run(["zstd", "-c"], input=tar.getvalue(), stdout=subprocess.PIPE, check=True).stdout
                  if zstd else gzip.compress(tar.getvalue(), 1, mtime=0))


a = b"a text\n"
ok = listed("README.txt", a, "readme")
readme = entry("p/README.txt", a)
full = entry("p/x-full.txt", b"the full text\n")
full_listed = listed("x-full.txt", full[1], "full")
package("good", [readme, full], [ok, full_listed])
library = entry("p/sysroot/usr/lib/c.so", b"\x7fELF")
library_listed = listed("sysroot/usr/lib/c.so", library[1], "library")
link = entry("p/sysroot/lib/c.so", type=tarfile.SYMTYPE, linkname="../usr/lib/c.so")
package("good-link", [readme, library, link],
        [ok, library_listed, listed("sysroot/lib/c.so", b"../usr/lib/c.so", "link")])

package("no-manifest", [readme], [], manifest=False)
package("no-json", [readme], [], manifest=b"{")
package("other-schema", [readme], [], manifest=b'{"schema": "corescrub-manifest-9", "files": []}')
package("wrong-hash", [entry("p/README.txt", b"b text\n")], [ok])
package("wrong-size", [entry("p/README.txt", a + b"!")], [ok])
package("extra-file", [readme, full], [ok])
package("missing-file", [readme], [ok, full_listed])
package("listed-twice", [readme], [ok, ok])
package("name-twice", [readme, readme], [ok])
package("absolute", [entry("/tmp/planted-by-package", a)], [ok])
package("up", [entry("p/../../planted-by-package", a)], [ok])
package("up-inside", [entry("p/x/../README.txt", a)], [ok])
package("dot", [entry("p/./README.txt", a)], [ok])
package("other-root", [readme, entry("q/README.txt", a)], [ok])
package("no-root", [entry("README.txt", a)], [ok])
package("two-slashes", [entry("p//README.txt", a)], [ok])
package("folder", [readme, entry("p/x", type=tarfile.DIRTYPE)], [ok])
package("device", [readme, entry("p/x", type=tarfile.CHRTYPE, devmajor=1, devminor=3)], [ok])
package("block-device", [readme, entry("p/x", type=tarfile.BLKTYPE, devmajor=8)], [ok])
package("fifo", [readme, entry("p/x", type=tarfile.FIFOTYPE)], [ok])
package("hard-link", [readme, entry("p/x", type=tarfile.LNKTYPE, linkname="p/README.txt")], [ok])
package("hard-link-out", [readme, entry("p/x", type=tarfile.LNKTYPE, linkname="/etc/passwd")], [ok])
for name, where, target in (
        ("link-out", "sysroot/x", "../../etc/passwd"), ("link-absolute", "sysroot/x", "/etc/passwd"),
        ("link-up", "sysroot/x", "../README.txt"), ("link-elsewhere", "x", "README.txt"),
        ("link-nowhere", "sysroot/x", "nowhere"), ("link-itself", "sysroot/x", "x"),
        ("link-to-folder", "sysroot/x", "usr"), ("link-dot", "sysroot/x", "./usr/lib/c.so"),
        ("link-far-out", "sysroot/x", "../" * 40 + "etc/passwd")):
    package(name, [readme, library, entry("p/" + where, type=tarfile.SYMTYPE, linkname=target)],
            [ok, library_listed, listed(where, target.encode(), "link")])
package("through-link", [readme, library, entry("p/sysroot/d", type=tarfile.SYMTYPE, linkname="/tmp"),
                         entry("p/sysroot/d/planted-by-package", a)],
        [ok, library_listed, listed("sysroot/d", b"/tmp", "link"),
         listed("sysroot/d/planted-by-package", a)])
package("link-to-link", [readme, library, link,
                         entry("p/sysroot/x", type=tarfile.SYMTYPE, linkname="lib/c.so")],
        [ok, library_listed, listed("sysroot/lib/c.so", b"../usr/lib/c.so", "link"),
         listed("sysroot/x", b"lib/c.so", "link")])
bomb = b"ab" * (75 << 20)
package("bomb", [entry("p/x", bomb)], [listed("x", bomb)], zstd=True)
big, _ = entry("p/x")
big.size = 1 << 60
with open(os.path.join(sys.argv[1], "huge-size.tar.gz"), "wb") as out:
    out.write(gzip.compress(big.tobuf(tarfile.GNU_FORMAT) + bytes(1024), 1))
huge = entry("p/x", b"1\n%d\n0\n" % (1 << 50) + bytes(512 - 21), pax_headers={
    "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "p/x",
    "GNU.sparse.realsize": str(1 << 50)})
package("huge-hole", [huge], [], format=tarfile.PAX_FORMAT)
whole = open(os.path.join(sys.argv[1], "good.tar.gz"), "rb").read()
for name, data in (("cut", whole[:len(whole) // 2]), ("empty", b""), ("gzip-alone", whole[:12]),
                   ("no-tar", gzip.compress(b"hello" * 1000)), ("text", b"hello\n"),
                   ("zip", b"PK\x03\x04" + bytes(100))):
    with open(os.path.join(sys.argv[1], name + ".tar.gz"), "wb") as out:
        out.write(data)

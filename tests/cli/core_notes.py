#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""core_notes.py CORE: for each sort of note, how many bytes of its content are not zero."""
import struct
import sys
from collections import Counter

NAMES = {1: "prstatus", 2: "fpregset", 3: "prpsinfo", 6: "auxv", 0x202: "xstate", 0x46494C45: "file",
         0x400: "vfp"}


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read(1 << 24)
    phoff, phnum = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    count = Counter()
    for i in range(phnum):
        kind, _, off, _, _, size = struct.unpack_from("<IIQQQQ", data, phoff + 56 * i)
        end = off + size
        while kind == 4 and off + 12 <= end:
            name, desc, note = struct.unpack_from("<III", data, off)
            body = off + 12 + (name + 3) // 4 * 4
            content = data[body:body + desc]
            count[NAMES.get(note, hex(note))] += len(content) - content.count(0)
            off = body + (desc + 3) // 4 * 4
    for name in sorted(count):
        print(name, count[name])


if __name__ == "__main__":
    main()

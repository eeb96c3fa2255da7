#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""core_key.py KEY.pem CORE: how many 8-byte words of the key's integers stand in the core, in either byte
order. Words that are common by themselves (few different bytes) do not count."""
import re
import subprocess
import sys


def integers(path):
    text = subprocess.run(["openssl", "pkey", "-in", path, "-text", "-noout"], check=True,
                          capture_output=True, text=True).stdout
    for name, block in re.findall(r"^(\w+):\s*\n((?:    +[0-9a-f:]+\n)+)", text, re.M):
        if name in ("privateExponent", "prime1", "prime2", "exponent1", "exponent2", "coefficient",
                    "priv"):
            yield bytes.fromhex(re.sub(r"[\s:]", "", block)).lstrip(b"\0")


def main():
    key, core = sys.argv[1:]
    with open(core, "rb") as file:
        data = file.read()
    found = 0
    for number in integers(key):
        little = number[::-1]
        for value in (number, little):
            for at in range(0, len(value) - 7, 8):
                word = value[at:at + 8]
                found += len(set(word)) > 4 and word in data
    print(found)


if __name__ == "__main__":
    main()

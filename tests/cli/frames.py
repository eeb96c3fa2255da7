#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""frames.py PLAIN SCRUBBED: each line from the first thread on must be the same, tokens aside."""
import re
import sys

TOKEN = re.compile(r"\[(?:[a-z0-9-]+~[a-z2-7]{10}|[a-z0-9-]+)\]")


def lines(path):
    text = open(path, encoding="utf-8", errors="surrogateescape").read()
    start = text.index("\nThread ") + 1
    return text[start:].rstrip("\n").split("\n")


def pattern(line):
    """The scrubbed line as a pattern in which a token stands for anything."""
    parts = TOKEN.split(line)
    return re.compile(".*?".join(re.escape(p) for p in parts), re.S)


plain, scrubbed = lines(sys.argv[1]), lines(sys.argv[2])
bad = 0
if len(plain) != len(scrubbed):
    print("%d lines became %d" % (len(plain), len(scrubbed)))
    bad = 1
HEAD = re.compile(r"^#(\d+)\s+(0x[0-9a-f]+ in )?([^(]*\()")
for a, b in zip(plain, scrubbed):
    if not pattern(b).fullmatch(a):
        print("line differs:", repr(b[:120]))
        bad = 1
    if a.startswith("#"):
        x, y = HEAD.match(a), HEAD.match(b)
        at_a, at_b = a.rpartition(") at ")[2], b.rpartition(") at ")[2]
        if not x or not y or x.group() != y.group() or (") at " in a and at_a != at_b):
            print("frame differs:", repr(b[:120]))
            bad = 1
sys.exit(bad)

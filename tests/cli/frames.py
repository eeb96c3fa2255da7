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


def same(plain, scrubbed):
    """Is plain the scrubbed line with something else for each token?"""
    parts = TOKEN.split(scrubbed)
    if len(parts) == 1:
        return plain == scrubbed
    if not plain.startswith(parts[0]) or not plain.endswith(parts[-1]):
        return False
    at, end = len(parts[0]), len(plain) - len(parts[-1])
    for part in parts[1:-1]:
        found = plain.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return at <= end


NAME = re.compile(r"^ {8}([A-Za-z_][\w.]*) = ")


plain, scrubbed = lines(sys.argv[1]), lines(sys.argv[2])
bad = 0
if len(plain) != len(scrubbed):
    print("%d lines became %d" % (len(plain), len(scrubbed)))
    bad = 1
HEAD = re.compile(r"^#(\d+)\s+(0x[0-9a-f]+ in )?([^(]*\()")
for a, b in zip(plain, scrubbed):
    if not same(a, b):
        print("line differs:", repr(b[:120]))
        bad = 1
    if NAME.match(a) and (not NAME.match(b) or NAME.match(a).group() != NAME.match(b).group()):
        print("name differs:", repr(b[:120]))
        bad = 1
    if a.startswith("#"):
        x, y = HEAD.match(a), HEAD.match(b)
        at_a, at_b = a.rpartition(") at ")[2], b.rpartition(") at ")[2]
        if not x or not y or x.group() != y.group() or (") at " in a and at_a != at_b):
            print("frame differs:", repr(b[:120]))
            bad = 1
sys.exit(bad)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""same_text.py A B: are two outputs of gdb the same, strings and what stands for addresses aside? Prints
the first lines that differ and exits 1."""
import re
import sys

PIECE = r'''(?:"(?:[^"\\]|\\.)*"(?:\.\.\.)?|'(?:[^'\\]|\\.[0-7]*)' <repeats \d+ times>|<incomplete sequence [^>]*>)'''
STRING = re.compile(PIECE + r"(?:, " + PIECE + r")*(?:\.\.\.)?")
RULES = (
    (STRING, "S"),
    (re.compile(r"s_addr = \d+"), "s_addr = N"),
    (re.compile(r"(__u6_addr(?:8|16|32)) = \{[^{}]*\}"), r"\1 = {N}"),
    (re.compile(r"(__u6_addr(?:8|16|32)) = S"), r"\1 = {N}"),
)


def lines(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    for pattern, to in RULES:
        text = pattern.sub(to, text)
    return text.split("\n")


def main():
    a, b = lines(sys.argv[1]), lines(sys.argv[2])
    shown = 0
    for i in range(max(len(a), len(b))):
        x, y = (t[i] if i < len(t) else "<end>" for t in (a, b))
        if x != y:
            at = next((k for k in range(min(len(x), len(y))) if x[k] != y[k]), 0)
            print(f"line {i + 1}: {x[max(0, at - 40):at + 60]!r} / {y[max(0, at - 40):at + 60]!r}")
            shown += 1
            if shown == 5:
                break
    sys.exit(shown > 0)


if __name__ == "__main__":
    main()

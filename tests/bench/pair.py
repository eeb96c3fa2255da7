#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pair.py [--runs N] [--limit R | --absolute S] NAME A B: times two shell commands in turn, A B A B …, after
one warm-up of each, and prints the median of the ratios A/B, the limit, and the medians of both."""
import argparse
import statistics
import subprocess
import time

ap = argparse.ArgumentParser()
ap.add_argument("--runs", type=int, default=5)
ap.add_argument("--limit", type=float)
ap.add_argument("--absolute", type=float, help="seconds A may take at its median")
ap.add_argument("--ok", default="0", help="exit codes of A that are fine, by comma")
ap.add_argument("name")
ap.add_argument("a")
ap.add_argument("b")
o = ap.parse_args()
fine = {int(c) for c in o.ok.split(",")}


def seconds(command, allowed):
    start = time.monotonic()
    code = subprocess.run(["sh", "-c", command]).returncode
    spent = time.monotonic() - start
    if code not in allowed:
        raise SystemExit("%s: exit %d" % (command, code))
    return spent


seconds(o.a, fine)
seconds(o.b, {0})
pairs = [(seconds(o.a, fine), seconds(o.b, {0})) for _ in range(o.runs)]
ratio = statistics.median(a / b for a, b in pairs)
a, b = (statistics.median(x) for x in zip(*pairs))
limit = "%.2f" % o.limit if o.limit else "%.3f s" % o.absolute if o.absolute else "-"
over = (o.limit and ratio > o.limit) or (o.absolute and a > o.absolute)
print("%-46s %8.2f %8s  %.3f s / %.3f s%s" % (o.name, ratio, limit, a, b, "  OVER" if over else ""))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pair.py [options] NAME A B: times two shell commands in turn, A B A B …, after one warm-up of each, and prints
the median of the ratios A/B, the limit, and the medians of both.
Wall time; --cpu: processor time (user and system, of all processes: for what runs in one thread, so that other
work on the machine counts less); --own: the seconds each prints itself, before a word in which both must agree."""
import argparse
import resource
import statistics
import subprocess
import time

ap = argparse.ArgumentParser()
ap.add_argument("--runs", type=int, default=5)
ap.add_argument("--limit", type=float, help="A/B")
ap.add_argument("--least", type=float, help="B/A: how many times as fast A must be")
ap.add_argument("--absolute", type=float, help="seconds A may take at its median")
ap.add_argument("--ok", default="0", help="exit codes of A that are fine, by comma")
ap.add_argument("--cpu", action="store_true")
ap.add_argument("--own", action="store_true")
ap.add_argument("name")
ap.add_argument("a")
ap.add_argument("b")
o = ap.parse_args()
fine = {int(c) for c in o.ok.split(",")}
words = set()


def cpu():
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime


def seconds(command, allowed):
    start, before = time.monotonic(), cpu()
    p = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE if o.own else None)
    spent = cpu() - before if o.cpu else time.monotonic() - start
    if p.returncode not in allowed:
        raise SystemExit("%s: exit %d" % (command, p.returncode))
    if o.own:
        own, word = p.stdout.split()
        words.add(word)
        if len(words) > 1:
            raise SystemExit("%s: both don't find the same" % o.name)
        return float(own)
    return spent


seconds(o.a, fine)
seconds(o.b, {0})
pairs = [(seconds(o.a, fine), seconds(o.b, {0})) for _ in range(o.runs)]
a, b = (statistics.median(x) for x in zip(*pairs))
ratio = statistics.median(y / x if o.least else x / y for x, y in pairs)
if o.absolute:
    ratio, limit, over = a, "<= %.3f s" % o.absolute, a > o.absolute
elif o.least:
    limit, over = ">= %.2f" % o.least, ratio < o.least
else:
    limit, over = "<= %.2f" % o.limit, ratio > o.limit
print("%-52s %8.3f %11s  %.3f s / %.3f s%s" % (o.name, ratio, limit, a, b, "  OVER" if over else ""), flush=True)

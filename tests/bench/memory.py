#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""memory.py NAME LIMIT_MIB INPUT COMMAND…: runs a command that maps INPUT (its standard input) and prints its peak
memory above that mapping. The peak that the kernel keeps counts the mapping's pages that were in memory at that
moment; their share can't be told, so the whole input is taken off it. What is never part of the mapping (anonymous
pages) is looked at every 5 ms beside that, and the greater of the two is printed."""
import os
import subprocess
import sys
import time

name, limit, path, command = sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4:]
MIB = 1 << 20


def anonymous(pid):
    try:
        with open("/proc/%d/status" % pid) as f:
            return sum(int(line.split()[1]) << 10 for line in f if line.startswith("RssAnon"))
    except (FileNotFoundError, ProcessLookupError):
        return 0


with open(path) as text, open(os.devnull, "w") as nowhere:
    child = subprocess.Popen(command, stdin=text, stdout=nowhere)
peak, done = 0, 0
while not done:
    peak = max(peak, anonymous(child.pid))
    done, status, usage = os.wait4(child.pid, os.WNOHANG)
    time.sleep(0.005)
if os.waitstatus_to_exitcode(status) not in (0, 3):
    raise SystemExit("%s: status %d" % (name, status))
above = max((usage.ru_maxrss << 10) - os.path.getsize(path), peak) / MIB
print("%-52s %8.1f %11s  %.1f MiB at its peak, %.1f MiB of input%s"
      % (name, above, "<= %g MiB" % limit, usage.ru_maxrss / 1024, os.path.getsize(path) / MIB,
         "  OVER" if above > limit else ""), flush=True)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command on damaged copies of a core: mutate.py COUNT CORE OUT COMMAND…

The copy is CORE.damaged; OUT is what the command makes of it. Each run ends with one of the program's
own exit codes and in time; OUT is there, of the core's size, if that is 0 or 3, and not there otherwise.
What is damaged: headers, notes, the first pages of what is mapped, stacks, any place; or the end is gone."""
import os
import random
import shutil
import struct
import subprocess
import sys

ODD = [0, 1, 4, 0xffff, 0x7fffffff, 0xffffffff, 2**32, 2**63 - 1, 2**63, 2**64 - 8, 2**64 - 1]


def segments(path):
	with open(path, "rb") as f:
		head = f.read(64)
		offset, = struct.unpack_from("<Q", head, 32)
		count, = struct.unpack_from("<H", head, 56)
		f.seek(offset)
		rows = [struct.unpack("<IIQQQQQQ", f.read(56)) for _ in range(count)]
	return [(row[2], row[5]) for row in rows if row[5]], offset + 56 * count


def place(rng, regions, headers, size):
	kind = rng.choices(range(6), [1, 20, 30, 20, 20, 20])[0]	# most damage to the ELF header ends it all
	if kind == 0:
		return rng.randrange(64)
	if kind == 1:
		return 64 + rng.randrange(headers - 64)
	if kind == 2:
		return regions[0][0] + rng.randrange(min(regions[0][1], 16384))	# notes come first
	if kind == 3:
		start, length = rng.choice(regions)
		return start + rng.randrange(min(length, 1024))
	if kind == 4:
		start, length = rng.choice(regions)
		return start + rng.randrange(length)
	return rng.randrange(size)


def damage(rng, path, regions, headers):
	size = os.path.getsize(path)
	with open(path, "r+b") as f:
		for _ in range(rng.randrange(1, 30)):
			value = rng.choice(ODD) if rng.random() < 0.5 else rng.getrandbits(64)
			width = rng.choice([1, 2, 4, 8])
			at = min(place(rng, regions, headers, size), size - 8)
			f.seek(at)
			f.write(struct.pack("<Q", value)[:width])
		if rng.random() < 0.1:
			f.truncate(rng.randrange(size))


def main(count, core, out, *command):
	rng = random.Random(20260101)
	regions, headers = segments(core)
	copy = core + ".damaged"
	ends = {}
	for i in range(int(count)):
		shutil.copyfile(core, copy)
		damage(rng, copy, regions, headers)
		run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
		ends[run.returncode] = ends.get(run.returncode, 0) + 1
		made = os.path.exists(out)
		if run.returncode not in (0, 1, 3):
			sys.exit(f"round {i}: exit {run.returncode}: {run.stderr[-500:]}")
		if made != (run.returncode in (0, 3)):
			sys.exit(f"round {i}: exit {run.returncode}, output {made}")
		if run.returncode == 1 and b"corescrub: error: " not in run.stderr:
			sys.exit(f"round {i}: no error was named")
		if made and os.path.getsize(out) != os.path.getsize(copy):
			sys.exit(f"round {i}: another size")
		if made:
			os.unlink(out)
	print("exit codes:", " ".join(f"{code}: {n}" for code, n in sorted(ends.items())))


main(*sys.argv[1:])

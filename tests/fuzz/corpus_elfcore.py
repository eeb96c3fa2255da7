#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the corpus of fuzz_elfcore anew: tiny cores of both machines with all the notes that are read."""
import os
import struct

X86, ARM = 62, 183
ET_DYN, ET_CORE, PT_LOAD, PT_NOTE = 3, 4, 1, 4
BASE, LOCK, STACK = 0x10000, 0x20000, 0x30000
FILES = 0x46494C45
SIGINFO = 0x53494749


def note(owner, kind, desc):
	name = owner + b"\0"
	pad = lambda b: b + b"\0" * (-len(b) % 4)
	return struct.pack("<III", len(name), len(desc), kind) + pad(name) + pad(desc)


def elf(machine, kind, loads, notes):
	"""notes: None or bytes; loads: (address, flags, bytes, size in memory)."""
	parts = ([(PT_NOTE, 4, 0, notes, len(notes))] if notes is not None else []) + \
		[(PT_LOAD, flags, addr, data, size) for addr, flags, data, size in loads]
	at = 64 + 56 * len(parts)
	head = b"\x7fELF\2\1\1" + b"\0" * 9 + struct.pack("<HHIQQQIHHHHHH", kind, machine, 1, 0, 64, 0, 0,
							 64, 56, len(parts), 0, 0, 0)
	table = body = b""
	for p_type, flags, addr, data, size in parts:
		table += struct.pack("<IIQQQQQQ", p_type, flags, at, addr, 0, len(data), size, 4)
		body += data
		at += len(data)
	return head + table + body


def prstatus(machine, lwp, waits):
	head = bytearray(112)
	struct.pack_into("<H", head, 12, 6)
	struct.pack_into("<I", head, 32, lwp)
	regs = [0] * (27 if machine == X86 else 34)
	if machine == X86:
		regs[16], regs[19], regs[21], regs[15] = BASE + 64, STACK + 256, STACK, 2**64 - 1
		if waits:
			regs[15], regs[10] = 202, 2**64 - 512
			regs[14], regs[13], regs[12] = LOCK, 128, 2
	else:
		regs[32], regs[31], regs[8] = BASE + 64, STACK + 256, 2**64 - 1
		if waits:
			regs[8], regs[0], regs[1], regs[2] = 98, LOCK, 128, 2
	return bytes(head) + struct.pack("<%dQ" % len(regs), *regs) + b"\0" * 8


def prpsinfo():
	return struct.pack("<4sIQIIiiii16s80s", b"\0R\0\0", 0, 0, 1000, 1000, 701, 1, 1, 1, b"tiny", b"tiny -x ")


def file_map(rows, page=4096):
	return struct.pack("<QQ", len(rows), page) + \
		b"".join(struct.pack("<QQQ", *row[:3]) for row in rows) + \
		b"".join(row[3] + b"\0" for row in rows)


def library(id_len=20):
	return elf(X86, ET_DYN, [], note(b"GNU", 3, bytes(range(id_len))))


def core(machine, **odd):
	notes = b"".join([
		note(b"CORE", 1, prstatus(machine, 701, False)),
		note(b"CORE", 3, prpsinfo()),
		note(b"CORE", SIGINFO, struct.pack("<iiiiQ", 11, 0, 1, 0, 0x20) + b"\0" * 104),
		note(b"CORE", 6, struct.pack("<6Q", 3, BASE + 64, 31, STACK, 0, 0)),
		note(b"CORE", FILES, odd.get("files", file_map([(BASE, BASE + 4096, 0, b"/bin/tiny"),
								(BASE + 4096, BASE + 8192, 1, b"/bin/tiny")]))),
		note(b"LINUX", 0x401, struct.pack("<Q", STACK)),
		note(b"CORE", 1, prstatus(machine, 702, True)),
	]) + odd.get("more", b"")
	lock = struct.pack("<12I", 2, 0, 701, 1, 0, 0, 0, 0, 0, 0, 0, 0)
	return elf(machine, ET_CORE, [(BASE, 5, odd.get("page", library()), 8192), (LOCK, 6, lock, 4096),
				      (STACK, 6, b"/bin/tiny\0" + b"A" * 300, 4096)], notes)


def main():
	to = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "elfcore")
	os.makedirs(to, exist_ok=True)
	x86, arm = core(X86), core(ARM)
	cases = {
		"x86-64": x86,
		"aarch64": arm,
		"cut-in-headers": x86[:150],
		"cut-in-notes": x86[:700],
		"cut-in-memory": x86[:-200],
		"no-notes": elf(X86, ET_CORE, [(BASE, 5, library(), 4096)], None),
		"library": library(),
		"long-id": core(X86, page=library(64)),
		"too-long-id": core(X86, page=library(65)),
		"no-files": core(X86, files=struct.pack("<QQ", 0, 4096)),
		"many-files": core(X86, files=struct.pack("<QQ", 2**61, 4096) + b"\0" * 64),
		"odd-page": core(X86, files=file_map([(BASE, BASE + 1, 2**63, b"x"), (5, 4, 0, b"")], 2**63)),
		"paths-cut": core(X86, files=file_map([(BASE, BASE + 4096, 0, b"/bin/tiny")])[:-1]),
		"note-past-end": core(ARM, more=struct.pack("<III", 5, 2**32 - 8, 1) + b"CORE\0\0\0\0"),
		"note-without-nul": core(ARM, more=struct.pack("<III", 4, 4, 1) + b"COREabcd"),
	}
	for name, data in cases.items():
		with open(os.path.join(to, name), "wb") as f:
			f.write(data)


main()

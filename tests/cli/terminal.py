#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""terminal.py FILE COMMAND...: runs the command at a terminal and types FILE's content at each prompt for a passphrase.
Prints what the terminal showed, and exits as the command did."""
import os
import pty
import sys

phrase = open(sys.argv[1], "rb").read()
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown, unread = b"", b""
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    shown += data
    unread += data
    while b"assphrase" in unread and b":" in unread.split(b"assphrase", 1)[1]:
        os.write(fd, phrase + b"\n")
        unread = unread.split(b"assphrase", 1)[1].split(b":", 1)[1]
sys.stdout.buffer.write(shown)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

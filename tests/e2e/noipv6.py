"""Runs a command as on a kernel without IPv6: a socket of that family cannot be made.

usage: noipv6.py COMMAND [ARGUMENT…]
"""

import ctypes
import os
import platform
import socket
import struct
import sys

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # of a 32-bit word, jumps over so many instructions, the verdict
ALLOW, EAFNOSUPPORT = 0x7FFF0000, 0x00050000 | 97
SYSCALL, FIRST_ARGUMENT = 0, 16  # places in struct seccomp_data
SOCKET = {"x86_64": 41, "aarch64": 198}[platform.machine()]

program = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (LOAD, 0, 0, SYSCALL),
        (EQUAL, 0, 3, SOCKET),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (EQUAL, 0, 1, socket.AF_INET6),
        (RETURN, 0, 0, EAFNOSUPPORT),
        (RETURN, 0, 0, ALLOW),
    )
)
kept = ctypes.create_string_buffer(program)
head = struct.pack("HP", len(program) // 8, ctypes.addressof(kept))
libc = ctypes.CDLL(None, use_errno=True)
for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, head, 0, 0)):
    if libc.prctl(*arguments):
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[1], sys.argv[1:])

"""Runs a command and prints its wall time, CPU and peak memory as JSON.

A process of its own and a small one: the kernel counts into a child's peak the memory that its parent had.
"""

import json
import os
import sys
import time

start = time.monotonic()
out = os.open(os.devnull, os.O_WRONLY)
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, out, 1)])
_, status, used = os.wait4(pid, 0)
wall_ms = (time.monotonic() - start) * 1000
cpu_ms = (used.ru_utime + used.ru_stime) * 1000
print(json.dumps({"wall_ms": wall_ms, "cpu_ms": cpu_ms, "peak_kib": used.ru_maxrss}))
sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)

"""Which Landlock this machine has, and what stands for an older kernel."""

import ctypes
import functools
import os
import pathlib
import subprocess
import tempfile

CREATE_RULESET = 444
VERSION = 1

OLDER_KERNEL = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
long syscall(long number, ...)
{
	long (*real)(long, ...) = dlsym(RTLD_NEXT, "syscall");
	long a, b, c, d, e, f, result;
	va_list ap;
	va_start(ap, number);
	a = va_arg(ap, long), b = va_arg(ap, long), c = va_arg(ap, long);
	d = va_arg(ap, long), e = va_arg(ap, long), f = va_arg(ap, long);
	va_end(ap);
	if (number == 444 && ABI == 0)
		return errno = ENOSYS, -1;
	result = real(number, a, b, c, d, e, f);
	return number == 444 && c == 1 && result > ABI ? ABI : result;
}
"""


@functools.cache
def abi():
    """Of this kernel; 0: it has none."""
    return max(0, ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, VERSION))


def compiled(source, folder):
    """A library that stands before libc's."""
    file = pathlib.Path(folder) / "preload.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", file, "-x", "c", "-"], input=source, text=True, check=True)
    return str(file)


def older_kernel(number, folder):
    return compiled(f"#define ABI {number}\n{OLDER_KERNEL}", folder)


@functools.cache
def environment():
    """The sandbox of each test: all of it, wherever the machine has it. With $TEST_LANDLOCK_ABI: as on that kernel."""
    env = {"AKVSYNC_SANDBOX": "require" if abi() else "on"}
    if number := os.environ.get("TEST_LANDLOCK_ABI"):
        env["LD_PRELOAD"] = older_kernel(number, tempfile.mkdtemp(prefix="akvsync-landlock-"))
    return env

"""What one poll costs that finds nothing new: bytes and packets on the wire, CPU, and memory between polls.

Packets are counted on the loopback interface of a network namespace of its own, so that nobody else's are.
"""

import fcntl
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
SECRETS = 10


def measure(binary, folder, interval, polls):
    """A row: in a namespace where that is permitted, else without packets."""
    command = [sys.executable, __file__, binary, str(folder), interval, str(polls)]
    probe = subprocess.run(["unshare", "-n", "true"], capture_output=True)
    if probe.returncode == 0:
        command = ["unshare", "-n", *command, "alone"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"bench: measuring an idle poll failed:\n{run.stdout}{run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])


def bring_loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(sock, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP))


def loopback():
    """Bytes and packets that passed it so far."""
    line = next(line for line in pathlib.Path("/proc/net/dev").read_text().splitlines() if "lo:" in line)
    fields = line.split(":")[1].split()
    return int(fields[0]), int(fields[1])


def wait_event(process, event):
    for line in process.stderr:
        if json.loads(line)["event"] == event:
            return
    sys.exit(f"the sidecar ended before it said '{event}'")


def cpu_ms(pid):
    # Nanoseconds on a CPU, of the one thread that stays.
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def memory_kib(pid):
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return {"rss_kib": sizes["Rss"], "private_kib": sizes["Private_Clean"] + sizes["Private_Dirty"]}


def main(binary, folder, interval, polls, alone):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    from fakevault.client import FakeVault

    if alone:
        bring_loopback_up()
    directory = tempfile.mkdtemp(dir=folder)
    with FakeVault(pathlib.Path(directory) / "fake") as fake:
        names = [f"secret-{i}" for i in range(SECRETS)]
        for name in names:
            fake.set(name, os.urandom(24).hex())
        env = fake.env(
            AKVSYNC_OBJECTS=",".join(names), AKVSYNC_DIR=directory, AKVSYNC_POLL_INTERVAL=interval,
            AKVSYNC_LOG_LEVEL="debug", AKVSYNC_TERMINATION_LOG="/dev/null",
        )
        process = subprocess.Popen([binary, "sidecar"], env=env, stderr=subprocess.PIPE, text=True)
        wait_event(process, "ready")

        def poll(count):
            for _ in range(count):
                process.send_signal(signal.SIGHUP)
                wait_event(process, "unchanged")

        poll(5)
        before, started = loopback(), cpu_ms(process.pid)
        poll(polls)
        after = loopback()
        row = {
            "poll_interval": interval,
            "cpu_ms": round((cpu_ms(process.pid) - started) / polls, 2),
            "bytes": round((after[0] - before[0]) / polls) if alone else "-",
            "packets": round((after[1] - before[1]) / polls, 1) if alone else "-",
            **memory_kib(process.pid),
        }
        process.terminate()
        process.communicate()
    print(json.dumps(row))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), "alone" in sys.argv[5:])

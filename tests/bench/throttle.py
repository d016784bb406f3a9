"""A node restarts: 300 sidecars of 5 objects each start at once against a vault that allows 400 requests in 10 s.

All must start and none may die. Told are the share of 429 while they start and in the steady phase after it,
and how long the start took beside what the limit makes necessary.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time

from fakevault.client import FakeVault

SIDECARS, OBJECTS = 300, 5
LIMIT, WINDOW_S = 400, 10
POLL_S = 60
START_TIMEOUT_S = 300
STEADY_S = 75
"""A poll of each, with its jitter."""


class Sidecar:
    def __init__(self, binary, env, folder, number):
        self.ready_at = None
        env = env | {"AKVSYNC_DIR": tempfile.mkdtemp(dir=folder), "POD_UID": f"pod-{number}"}
        self.process = subprocess.Popen([binary, "sidecar"], env=env, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stderr:
            if json.loads(line)["event"] == "ready":
                self.ready_at = time.monotonic()


def phase(entries):
    vault = [entry for entry in entries if entry["target"] == "vault"]
    refused = sum(entry["status"] == 429 for entry in vault)
    return {"requests": len(vault), "answered_429": refused, "share_429": round(refused / max(1, len(vault)), 3)}


def run(binary, folder):
    with FakeVault(folder / "fake") as fake:
        names = [f"secret-{i}" for i in range(OBJECTS)]
        for name in names:
            fake.set(name, os.urandom(24).hex())
        fake.vault_settings(limit=LIMIT, limit_window_s=WINDOW_S)
        env = fake.env(
            AKVSYNC_OBJECTS=",".join(names), AKVSYNC_POLL_INTERVAL=f"{POLL_S}s", AKVSYNC_TERMINATION_LOG="/dev/null"
        )
        began = time.monotonic()
        sidecars = [Sidecar(binary, env, folder, number) for number in range(SIDECARS)]
        launched = time.monotonic()
        try:
            return measure(fake, sidecars, began, launched)
        finally:
            for sidecar in sidecars:
                sidecar.process.terminate()
            for sidecar in sidecars:
                sidecar.process.wait(30)


def measure(fake, sidecars, began, launched):
    while any(s.ready_at is None for s in sidecars) and time.monotonic() < began + START_TIMEOUT_S:
        time.sleep(0.1)
    started = [s for s in sidecars if s.ready_at is not None]
    start_s = max((s.ready_at for s in started), default=began) - began
    start = phase(fake.journal())
    # The window that the start has filled must pass.
    time.sleep(WINDOW_S)
    mark = fake.mark()
    time.sleep(STEADY_S)
    steady = phase(fake.journal(since=mark))
    alive = sum(s.process.poll() is None for s in sidecars)
    counted = start["requests"] - start["answered_429"]
    # The first window is free at once; then one a window.
    least_s = counted / LIMIT * WINDOW_S
    result = {
        "sidecars": SIDECARS, "objects_each": OBJECTS, "limit": f"{LIMIT} in {WINDOW_S} s",
        "started": len(started), "alive_at_the_end": alive,
        "launch_s": round(launched - began, 1), "start_s": round(start_s, 1),
        "least_s": round(least_s, 1), "ratio": round(start_s / least_s, 2),
        "start": start, "steady": {"poll_interval_s": POLL_S, "seconds": STEADY_S, **steady},
    }
    print(json.dumps(result, indent=2))
    if len(started) != SIDECARS or alive != SIDECARS:
        sys.exit(f"bench: {len(started)} of {SIDECARS} sidecars started, {alive} are alive")
    return result

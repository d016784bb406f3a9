"""Twenty real sidecars in two namespaces, some of them with a fault, and a Prometheus that scrapes them all."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from prometheus import ROOT, Prometheus, free_port, get

from fakevault.client import FakeVault

BINARY = os.environ.get("TEST_BIN", str(ROOT / "build/release/akvsync"))
DEADLINE_S = 120
DAY_S = 86400
SIZE = 20
POLL = "5s"

# What is wrong with a pod: variables beside, or in place of, those of a healthy one.
FAULTS = {
    "shop-1": {"AKVSYNC_OBJECTS": "db-password, denied"},
    "shop-2": {"AKVSYNC_OBJECTS": "slow-one, slow-two", "AKVSYNC_VAULT": "busy-kv"},
    "shop-3": {"AKVSYNC_OBJECTS": "db-password, ends-in-20-days"},
    "shop-4": {"AKVSYNC_OBJECTS": "db-password, ends-in-3-days"},
    "shop-5": {"AKVSYNC_NOTIFY": "signal=HUP,process=not-a-process"},
    "shop-6": {"AKVSYNC_OBJECTS": "db-password, missing"},
    "shop-7": {"AKVSYNC_OBJECTS": "lost", "AKVSYNC_VAULT": "lost-kv", "AKVSYNC_MAX_STALENESS": "10s"},
    "shop-8": {},
}
KILLED = "shop-8"
NEVER_READY = "shop-6"
SECRETS = {
    "shop-kv": ("db-password", "denied", "ends-in-20-days", "ends-in-3-days"),
    "busy-kv": ("slow-one", "slow-two"),
    "lost-kv": ("lost",),
}
EXPECTED = {
    ("AkvsyncFailing", "shop-1", "denied"),
    ("AkvsyncStale", "shop-1", None),
    ("AkvsyncStale", "shop-2", None),
    ("AkvsyncThrottled", None, None),
    ("AkvsyncObjectExpiringSoon", None, "ends-in-20-days"),
    ("AkvsyncObjectExpiringSoon", None, "ends-in-3-days"),
    ("AkvsyncNotifyFailing", "shop-5", "signal=HUP,process=not-a-process"),
    ("AkvsyncNotReady", "shop-6", None),
    ("AkvsyncStale", "shop-6", None),
    ("AkvsyncFailing", "shop-6", "missing"),
    ("AkvsyncNotReady", "shop-7", None),
    ("AkvsyncStale", "shop-7", None),
    ("AkvsyncDown", "shop-8", None),
}
"""Of the alerts that have to fire: their names, pods and what they name."""


class Sidecar:
    """One pod's, without the pod."""

    def __init__(self, folder, fake, number):
        self.namespace = "shop" if number < SIZE // 2 else "web"
        self.pod = f"{self.namespace}-{number}"
        self.port = free_port()
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.volume = pathlib.Path(tempfile.mkdtemp(prefix="akvsync-fleet-", dir=base))
        self.volume.chmod(0o2755)
        self.log = folder / f"{self.pod}.log"
        variables = {
            "AKVSYNC_OBJECTS": "db-password",
            "AKVSYNC_NOTIFY": f"touch={folder}/{self.pod}.notified",
        } | FAULTS.get(self.pod, {})
        if vault := variables.get("AKVSYNC_VAULT"):
            variables["AKVSYNC_VAULT"] = fake.url(vault)
        variables |= {
            "AKVSYNC_DIR": str(self.volume),
            "AKVSYNC_LISTEN": f"127.0.0.1:{self.port}",
            "AKVSYNC_POLL_INTERVAL": POLL,
            "AKVSYNC_TERMINATION_LOG": str(folder / f"{self.pod}.end"),
        }
        with self.log.open("w") as log:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen([BINARY, "sidecar"], env=fake.env(**variables), stderr=log)

    @property
    def target(self):
        """For Prometheus."""
        return self.port, {"namespace": self.namespace, "pod": self.pod}

    def ready(self):
        try:
            return get(self.port, "/readyz")[0] == 200
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.volume, ignore_errors=True)


class Fleet:
    def __init__(self, fake, sidecars, server):
        self.fake, self.sidecars, self.server = fake, sidecars, server
        self.start = time.time()

    def of(self, pod):
        return next(one for one in self.sidecars if one.pod == pod)

    def firing(self):
        """As EXPECTED."""
        return {(one["alertname"], one.get("pod"), one.get("name")) for one, _ in self.server.alerts()}

    def logs(self):
        return "".join(f"== {one.pod}\n{one.log.read_text()[-2000:]}\n" for one in self.sidecars)


def wait_for(what, true, fleet_logs=lambda: ""):
    """Waits until true() gives something true, and gives that."""
    end = time.monotonic() + DEADLINE_S
    while not (found := true()):
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {DEADLINE_S} s\n{fleet_logs()}")
        time.sleep(0.2)
    return found


def break_it(fleet):
    """What happens while all are watched: rotations, an end of the tokens, and then the faults."""
    fake, server = fleet.fake, fleet.server
    wait_for("a scrape of each", lambda: len(server.now("up == 1")) == SIZE, fleet.logs)
    fake.set("db-password", "planted-second-value")
    fake.revoke_tokens()
    wait_for("a rotation", lambda: server.now("sum(akvsync_rotations_total) > 10"), fleet.logs)
    fake.revoke("get", name="denied")
    fake.fault({"status": 429, "retry_after_s": 1}, times=-1, target="vault", vault="busy-kv", path="*slow-two*")
    fake.fault({"status": 503}, times=-1, target="vault", vault="lost-kv")
    killed = fleet.of(KILLED)
    killed.process.kill()
    killed.process.wait()


@contextlib.contextmanager
def running(folder):
    """The fleet, all its faults planted."""
    with contextlib.ExitStack() as stack:
        fake = stack.enter_context(FakeVault(folder / "fake", vaults=tuple(SECRETS)))
        for vault, names in SECRETS.items():
            for name in names:
                fake.set(name, f"planted-value-of-{name}", vault=vault)
        for days in (3, 20):
            fake.update(f"ends-in-{days}-days", exp=int(time.time()) + days * DAY_S + 3600)
        sidecars = []
        for number in range(SIZE):
            sidecars.append(Sidecar(folder, fake, number))
            stack.callback(sidecars[-1].stop)
        server = stack.enter_context(Prometheus(folder / "prometheus", [one.target for one in sidecars]))
        fleet = Fleet(fake, sidecars, server)
        waited = [one for one in sidecars if one.pod != NEVER_READY]
        wait_for("a first set of each", lambda: all(one.ready() for one in waited), fleet.logs)
        break_it(fleet)
        yield fleet

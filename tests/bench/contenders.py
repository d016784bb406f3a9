"""Who reads secrets, and how each is measured: wall time at two latencies, CPU, peak memory."""

import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

import sdk

HERE = pathlib.Path(__file__).resolve().parent
LATENCIES_MS = (20, 60)
WARMED = 5
"""Connections that akvsync opens by anonymous requests, at most."""


class Contender:
    def __init__(self, name, run, counts, runs):
        self.name, self.run, self.counts, self.runs = name, run, counts, runs

    def rows(self):
        return [self._row(count) for count in self.counts]

    def _row(self, count):
        walls, cpu, peak = {}, [], 0
        for latency in LATENCIES_MS:
            runs = [self.run(count, latency) for _ in range(self.runs)]
            # Whatever else runs on the machine only adds.
            walls[latency] = min(run["wall_ms"] for run in runs)
            cpu += [run["cpu_ms"] for run in runs]
            peak = max([peak, *(run["peak_kib"] for run in runs)])
        low, high = LATENCIES_MS
        return {
            "contender": self.name,
            "secrets": count,
            **{f"wall_ms_at_{latency}": round(wall, 1) for latency, wall in walls.items()},
            "round_trips": round((walls[high] - walls[low]) / (high - low), 1),
            "at_most": round(walls[high] / high, 1),
            "cpu_ms": round(statistics.median(cpu), 1),
            "peak_kib": peak,
        }


def measured(command, **options):
    """Runs a command to its end: wall, CPU of it and its children, peak memory."""
    run = subprocess.run(
        [sys.executable, "-SE", HERE / "timed.py", *command], capture_output=True, text=True, **options
    )
    if run.returncode != 0:
        sys.exit(f"bench: {command[0]} exited {run.returncode}:\n{run.stderr}")
    return json.loads(run.stdout)


class Bench:
    """The fake with its secrets, and functions that make runs of each contender."""

    def __init__(self, binary, fake, folder, most):
        self.binary, self.fake, self.folder = binary, fake, folder
        self.names = [f"secret-{i:03}" for i in range(most)]
        for name in self.names:
            fake.set(name, os.urandom(24).hex())
        self.modules = None

    def _env(self, proxy, **more):
        return self.fake.env(
            AKVSYNC_VAULT=self.fake.url("shop-kv", proxy.port),
            AZURE_AUTHORITY_HOST=f"https://login.localhost:{proxy.port}/",
            **more,
        )

    def akvsync(self, proxy):
        def run(count, latency):
            proxy.set(rtt_ms=latency)
            mark = self.fake.mark()
            directory = tempfile.mkdtemp(dir=self.folder)
            env = self._env(
                proxy,
                AKVSYNC_OBJECTS=",".join(self.names[:count]),
                AKVSYNC_DIR=directory,
                AKVSYNC_TERMINATION_LOG=str(self.folder / "termination-log"),
            )
            result = measured([self.binary, "init"], env=env)
            self._check(count, mark)
            shutil.rmtree(directory)
            return result

        return run

    def _check(self, count, mark):
        """One token, one authenticated request an object, one anonymous one a connection that is warmed."""
        tokens = len(self.fake.journal(target="login", since=mark))
        vault = self.fake.journal(target="vault", since=mark)
        authenticated = sum(entry["authenticated"] for entry in vault)
        if (tokens, authenticated) != (1, count) or len(vault) - authenticated > WARMED:
            sys.exit(
                f"bench: init of {count} made {tokens} token requests, {authenticated} authenticated and"
                f" {len(vault) - authenticated} anonymous ones"
            )

    def curl(self, proxy):
        """A shell's way: curl for the token, then curl for each secret."""
        script = (
            "set -e; token=$(curl -sf --cacert \"$CA\" -d \"$FORM\" \"$LOGIN\" | sed 's/.*access_token\": *\"//;s/\".*//')\n"
            'for name in $NAMES; do curl -sf --cacert "$CA" -H "Authorization: Bearer $token" -o /dev/null'
            ' "$VAULT/secrets/$name?api-version=7.4"; done\n'
        )

        def run(count, latency):
            proxy.set(rtt_ms=latency)
            form = {
                "client_id": self.fake.client_id,
                "scope": "https://vault.localhost/.default",
                "grant_type": "client_credentials",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": pathlib.Path(self.fake.assertion_file).read_text(),
            }
            env = self._env(
                proxy,
                CA=str(self.fake.ca),
                FORM="&".join(f"{name}={value}" for name, value in form.items()),
                LOGIN=f"https://login.localhost:{proxy.port}/{self.fake.tenant_id}/oauth2/v2.0/token",
                VAULT=self.fake.url("shop-kv", proxy.port),
                NAMES=" ".join(self.names[:count]),
            )
            return measured(["sh", "-c", script], env=env)

        return run

    def sdk(self, proxy, mode):
        def run(count, latency):
            if self.modules is None:
                self.modules = sdk.install(HERE / "sdk.mjs")
            proxy.set(rtt_ms=latency)
            env = self._env(
                proxy, NODE_EXTRA_CA_CERTS=str(self.fake.ca), VAULT_URL=self.fake.url("shop-kv", proxy.port)
            )
            command = ["node", "--import", "./loopback.mjs", "sdk.mjs", mode, *self.names[:count]]
            return measured(command, env=env, cwd=self.modules)

        return run


# Many sidecars and connections at once.
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)

#!/usr/bin/python3
"""Runs the binary with the resolver configuration of a pod; prints what came of it as JSON.

usage: unshare --mount --net in_pod_network.py BINARY FOLDER plain|truncated|silent
"""

import json
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from fakevault.client import FakeVault  # noqa: E402
from static.nameserver import NameServer  # noqa: E402

RESOLV_CONF = "nameserver 127.0.0.1\nsearch shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n"
VAULT, LOGIN = "shop-kv.vault.azure.net", "login.microsoftonline.com"


def main():
    binary, folder, how = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    (folder / "resolv.conf").write_text(RESOLV_CONF)
    subprocess.run(["mount", "--bind", folder / "resolv.conf", "/etc/resolv.conf"], check=True)
    hosts = {VAULT: "127.0.0.1", LOGIN: "127.0.0.1"}
    server = NameServer(hosts, truncate=how == "truncated", silent=how == "silent")
    (folder / "volume").mkdir()
    with FakeVault(folder / "fake") as fake:
        fake.set("db", "a value")
        env = fake.env(
            AKVSYNC_OBJECTS="db",
            AKVSYNC_DIR=str(folder / "volume"),
            AKVSYNC_TERMINATION_LOG="/dev/null",
            AKVSYNC_VAULT=f"https://{VAULT}:{fake.port}",
            AZURE_AUTHORITY_HOST=f"https://{LOGIN}:{fake.port}/",
        )
        process = subprocess.Popen([binary, "init"], env=env, stderr=subprocess.PIPE, text=True)
        stopped_after = None
        if how == "silent":
            while not server.asked:
                time.sleep(0.01)
            start = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            stopped_after = time.monotonic() - start
        _, log = process.communicate(timeout=60)
    names = list(dict.fromkeys(name for _, name, _ in server.asked))
    transports = sorted({transport for transport, _, _ in server.asked})
    print(json.dumps({"code": process.returncode, "names": names, "transports": transports,
                      "stopped_after": stopped_after, "log": log}))


main()

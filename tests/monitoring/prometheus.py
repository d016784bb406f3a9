"""A real Prometheus on a port of its own, from `with` to its end; and the questions that tests ask it."""

import http.client
import json
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.parse

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
MONITORING = ROOT / "manifests/monitoring"
START_S = 60
MISSING = next((f"needs {name}" for name in ("prometheus", "promtool") if not shutil.which(name)), None)
"""Why the tests with it cannot run here, or None."""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def get(port, path, headers=None, timeout=30):
    """Status, headers and text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def promtool(*arguments, text=None):
    return subprocess.run(
        ["promtool", *map(str, arguments)], input=text, capture_output=True, text=True, timeout=120, check=False
    )


def rules():
    """The alerts, as both files have them."""
    (group,) = yaml.safe_load((MONITORING / "rules.yaml").read_text())["groups"]
    return group["rules"]


class Prometheus:
    """Scrapes targets, a list of a port and its labels, each second. Its alerts are those of rules.yaml, which fire
    at once: how long each waits is tested by promtool."""

    def __init__(self, folder, targets):
        self.folder, self.targets, self.port = folder, targets, free_port()

    def __enter__(self):
        static = [{"targets": [f"127.0.0.1:{port}"], "labels": labels} for port, labels in self.targets]
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [{"job_name": "akvsync", "static_configs": static}],
        }
        at_once = [{name: value for name, value in rule.items() if name != "for"} for rule in rules()]
        self.folder.mkdir(exist_ok=True)
        (self.folder / "rules.yaml").write_text(json.dumps({"groups": [{"name": "akvsync", "rules": at_once}]}))
        (self.folder / "prometheus.yaml").write_text(json.dumps(config))
        with (self.folder / "log").open("w") as log:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={self.folder}/prometheus.yaml",
                    f"--storage.tsdb.path={self.folder}/data",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stderr=log,
            )
        end = time.monotonic() + START_S
        while not self._ready():
            if time.monotonic() > end or self.process.poll() is not None:
                self.__exit__()
                raise AssertionError(f"Prometheus does not start: {(self.folder / 'log').read_text()}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _ready(self):
        try:
            return get(self.port, "/-/ready")[0] == 200
        except OSError:
            return False

    def ask(self, path, **parameters):
        """The data of an answer of the API."""
        status, _, text = get(self.port, f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        answer = json.loads(text)
        assert status == 200 and answer["status"] == "success", f"{parameters}: {answer.get('error', text)}"
        return answer["data"]

    def now(self, expr):
        """[labels, number] of each series."""
        found = self.ask("query", query=expr)["result"]
        return [[one["metric"], float(one["value"][1])] for one in found]

    def range(self, expr, start, end, step):
        """[labels, [[time, number], …]] of each series."""
        found = self.ask("query_range", query=expr, start=start, end=end, step=step)["result"]
        return [[one["metric"], [[t, float(v)] for t, v in one["values"]]] for one in found]

    def alerts(self):
        """The labels and annotations of those that fire."""
        return [(one["labels"], one["annotations"]) for one in self.ask("alerts")["alerts"] if one["state"] == "firing"]

"""/metrics, /status and /: one picture of what a sidecar has and does."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time

import pytest
from conftest import wait_until
from test_config import ConfigMap
from test_health import ask
from test_listen import IPV4, free_port, request

MARKER = "picture-marker-value"


def touch(world):
    return f"touch={world.volume.parent}/touched"


def get(port, path, **headers):
    connection = http.client.HTTPConnection(IPV4, port, timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def ask_socket(world, path):
    """What the socket on the volume shows."""
    with socket.socket(socket.AF_UNIX) as sock:
        folder = os.open(world.volume, os.O_PATH)  # a deep directory's path is too long for an address
        try:
            sock.connect(f"/proc/self/fd/{folder}/..sock")
        finally:
            os.close(folder)
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: sidecar\r\n\r\n".encode())
        head, _, body = b"".join(iter(lambda: sock.recv(65536), b"")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    return body.decode()


def fresh(port, path, **headers):
    """A document that was made after now: one is handed out again for a second."""
    time.sleep(1.1)
    return get(port, path, **headers)[2]


def picture(port):
    return json.loads(fresh(port, "/status"))


def samples(text):
    """{name{labels}: value}."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def metrics(port):
    return samples(fresh(port, "/metrics"))


def test_shows_objects_vaults_and_syncs(world):
    port = free_port()
    world.plant("db", "api")
    world.sidecar("db, api", AKVSYNC_LISTEN=f"{IPV4}:{port}", AKVSYNC_NOTIFY=touch(world))
    seen = picture(port)
    assert seen["format"] == 1 and seen["ready"] is True and seen["reason"] == "ok"
    assert seen["lastSync"]["status"] == "published" and seen["failing"] == []
    assert seen["generation"] == world.generation()
    by_path = {o["object"]: o for o in seen["objects"]}
    assert sorted(by_path) == ["api", "db"]
    for o in by_path.values():
        assert (o["state"], o["files"], o["error"], o["expiresAt"]) == ("up-to-date", 1, None, None)
        assert re.fullmatch("[0-9a-f]{32}", o["version"])
        assert o["confirmedAt"] and o["changedAt"]
    (vault,) = seen["vaults"]
    assert vault["requests"] >= 3 and vault["throttled"] == 0
    (token,) = seen["tokens"]
    assert token["expiresAt"] > seen["time"]

    have = metrics(port)
    name = vault["name"]
    assert have["akvsync_ready"] == 1 and have["akvsync_objects"] == 2 and have["akvsync_files"] == 2
    assert have['akvsync_syncs_total{status="published"}'] == 1
    assert have[f'akvsync_vault_requests_total{{vault="{name}",kind="secret",code="200"}}'] == 2
    assert have[f'akvsync_vault_requests_total{{vault="{name}",kind="challenge",code="401"}}'] == 1
    assert have['akvsync_token_requests_total{code="200"}'] == 1
    assert have["akvsync_generations_total"] == 1 and have["akvsync_consecutive_failures"] == 0
    assert have["process_resident_memory_bytes"] > 1 << 20 and have["process_open_fds"] > 3


def test_a_rotation_is_counted_and_timed(world):
    port = free_port()
    world.plant("db")
    sidecar = world.sidecar("db", AKVSYNC_LISTEN=f"{IPV4}:{port}", AKVSYNC_NOTIFY=touch(world))
    assert metrics(port)["akvsync_rotations_total"] == 0
    mark = sidecar.mark()
    world.fake.rotate("db", MARKER)
    sidecar.poll()
    sidecar.wait_log("notified", since=mark)
    have = metrics(port)
    assert have["akvsync_rotations_total"] == 1 and have["akvsync_rotation_delay_seconds_count"] == 1
    target = next(key for key in have if key.startswith("akvsync_notify_runs_total") and "success" in key)
    assert have[target] == 1 and "touch=" in target
    (told,) = picture(port)["notify"]
    assert told["successes"] == 1 and told["failures"] == 0 and not told["failing"] and told["lastSuccessAt"]


def test_a_fault_is_told_with_its_object_since_when_and_why(world):
    port = free_port()
    world.plant("db", "api")
    sidecar = world.sidecar("db, api", AKVSYNC_LISTEN=f"{IPV4}:{port}")
    before = picture(port)
    world.fake.fault({"status": 503}, target="vault", times=-1)
    mark = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("failure", since=mark)
    seen = picture(port)
    assert seen["ready"] is True and seen["consecutiveFailures"] >= 1
    assert seen["lastSync"]["status"] == "partial" and seen["lastSuccessAt"] == before["lastSuccessAt"]
    for o in seen["objects"]:
        assert o["state"] == "stale" and o["error"]["kind"] == "vault" and "503" in o["error"]["message"]
        assert o["error"]["error"] == "unavailable" and o["error"]["since"] <= seen["time"]
    have = metrics(port)
    assert have['akvsync_object_up_to_date{object="db"}'] == 0
    assert any(k.startswith('akvsync_failing{kind="vault"') and 'error="unavailable"' in k for k in have)
    assert any('kind="secret",code="503"' in k for k in have)
    world.fake.clear_faults()
    mark = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("recovered", since=mark)
    wait_until(lambda: metrics(port)["akvsync_consecutive_failures"] == 0)
    assert not any(k.startswith("akvsync_failing") for k in metrics(port))


def test_an_object_that_does_not_exist_is_missing(world):
    port = free_port()
    world.plant("db", "api")
    world.fake.delete("api")
    sidecar = world.sidecar("db, api", wait=False, AKVSYNC_LISTEN=f"{IPV4}:{port}")
    sidecar.wait_log("failure", kind="object")
    seen = picture(port)
    api = next(o for o in seen["objects"] if o["object"] == "api")
    assert (api["state"], api["version"], api["files"]) == ("missing", None, 0)
    assert api["error"]["error"] == "not-found" and not seen["ready"] and "api" in seen["reason"]
    assert metrics(port)["akvsync_ready"] == 0


def test_staleness_makes_it_unready_until_a_sync_succeeds(world):
    port = free_port()
    world.plant("db")
    sidecar = world.sidecar(
        "db", AKVSYNC_LISTEN=f"{IPV4}:{port}", AKVSYNC_POLL_INTERVAL="1s", AKVSYNC_MAX_STALENESS="2s"
    )
    world.fake.delete("db")
    wait_until(lambda: request(port, "/readyz")[0] == 503)
    code, _, text = request(port, "/readyz")
    assert code == 503 and "AKVSYNC_MAX_STALENESS=2s" in text and "no sync has succeeded for" in text
    assert ask(world, "probe", "ready").returncode == 6
    # A start is not undone by it, and the loop turns.
    assert request(port, "/startupz")[0] == 200 and request(port, "/healthz")[0] == 200
    assert ask(world, "probe", "startup").returncode == 0
    world.fake.recover("db")
    sidecar.poll()
    wait_until(lambda: request(port, "/readyz")[0] == 200)


def test_an_expiry_that_no_calendar_has(world):
    """The vault may say any number: it is a time all the same."""
    port = free_port()
    world.plant("db")
    world.fake.update("db", exp=9 * 10**15)
    world.sidecar("db", AKVSYNC_LISTEN=f"{IPV4}:{port}")
    (db,) = picture(port)["objects"]
    assert db["expiresAt"] == "9999-12-31T23:59:59Z"
    assert metrics(port)['akvsync_object_expiry_timestamp_seconds{object="db"}'] == 253402300799


@pytest.mark.parametrize("world", ["flat"], indirect=True)
def test_what_left_the_configuration_is_not_told_any_more(world):
    """The vault's limit, and its token, would look like faults that last."""
    port = free_port()
    world.fake.vault_settings("busy-kv")
    world.fake.set("db", "planted-value-of-db")
    world.fake.set("slow", "planted-value-of-slow", vault="busy-kv")
    both = f"objects:\n- objectName: db\n- objectName: slow\n  vault: {world.fake.url('busy-kv')}\n"
    config = ConfigMap(world.folder / "config", both)
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path, AKVSYNC_LISTEN=f"{IPV4}:{port}"))
    sidecar.wait_log("ready")
    world.fake.fault({"status": 429, "retry_after_s": 60}, target="vault", vault="busy-kv", times=-1)
    sidecar.poll()
    sidecar.wait_log("failure", "429")
    limited = 'akvsync_vault_concurrency_limit{vault="busy-kv"}'
    assert wait_until(lambda: limited in metrics(port))
    config.write("objects: db\n")
    sidecar.wait_log("configuration-applied")
    assert [o["object"] for o in picture(port)["objects"]] == ["db"]
    seen = next(one for one in picture(port)["vaults"] if one["name"] == "busy-kv")
    assert (seen["concurrencyLimit"], seen["pausedUntil"]) == (None, None) and limited not in metrics(port)
    assert "at a time" not in fresh(port, "/")


@pytest.mark.parametrize(
    "host, answered",
    [("localhost", True), ("127.0.0.1", True), ("[::1]", True), ("shop-7d9f", True), ("shop.kv.svc.cluster.local", True),
     ("a.shop.svc", True), ("Akvsync.LOCALHOST", True), ("evil.example", False), ("localhost.evil.example", False), ("127.0.0.1.evil.example", False),
     ("1.evil", False), ("svc.evil.example", False)],
)
def test_another_site_does_not_read_it_through_a_browser(world, host, answered):
    """DNS rebinding: its name leads to the port that an operator forwards, which is then its own origin. A forwarded
    port is reached from the pod itself."""
    port = free_port()
    world.plant("db")
    world.sidecar("db", AKVSYNC_LISTEN=f"{IPV4}:{port}")
    for name in (host, f"{host}:{port}", f"{host}."):
        for path in ("/status", "/metrics", "/", "/readyz"):
            code, headers, text = get(port, path, Host=name)
            assert code == (200 if answered else 421), (name, path)
            assert answered or ("db" not in text and "localhost" in text)
            assert not [header for header in headers if header.lower().startswith("access-control")]


def test_staleness_has_its_cause_in_one_text(world):
    """It is the event of a readiness probe, of which `kubectl describe pod` shows the first line, and few that differ."""
    world.plant("db")
    sidecar = world.sidecar("db", AKVSYNC_POLL_INTERVAL="1s", AKVSYNC_MAX_STALENESS="2s")
    world.fake.revoke("get", name="db")
    sidecar.wait_log("failure", "403 ForbiddenByRbac")
    told = lambda: ask(world, "probe", "ready")  # noqa: E731
    wait_until(lambda: told().returncode == 6)
    texts = {told().stderr for _ in range(3) if not time.sleep(1)}
    (text,) = texts
    assert re.fullmatch(
        r"akvsync: no sync has succeeded for longer than AKVSYNC_MAX_STALENESS=2s: secret 'db': 403 ForbiddenByRbac; "
        r"identity \S+ may not read it; grant .*; the last good files stay\n", text
    ), texts
    world.fake.grant("get", name="db")
    wait_until(lambda: told().returncode == 0)


def test_formats_of_the_metrics(world):
    port = free_port()
    world.plant("db")
    world.sidecar("db", AKVSYNC_LISTEN=f"{IPV4}:{port}")
    code, headers, text = get(port, "/metrics")
    assert code == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "# EOF" not in text
    code, headers, text = get(port, "/metrics", Accept="application/openmetrics-text; version=1.0.0,text/plain;q=0.5")
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n") and "# TYPE akvsync_syncs counter" in text


@pytest.mark.skipif(shutil.which("promtool") is None, reason="there is no promtool")
def test_promtool_accepts_the_metrics(world):
    port = free_port()
    world.plant("db", "api")
    world.sidecar("db, api", AKVSYNC_LISTEN=f"{IPV4}:{port}", AKVSYNC_NOTIFY=touch(world))
    text = fresh(port, "/metrics")
    told = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_the_page_escapes_and_loads_nothing(world):
    port = free_port()
    world.plant("db")
    world.sidecar("db", AKVSYNC_LISTEN=f"{IPV4}:{port}")
    code, headers, text = get(port, "/")
    assert code == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "<script" not in text and "http:" not in text and "<h1 class=\"yes\">\u2713 All is well" in text


def test_no_value_is_shown(world):
    port = free_port()
    world.fake.set("db", MARKER)
    world.sidecar("db", AKVSYNC_LISTEN=f"{IPV4}:{port}", AKVSYNC_NOTIFY=touch(world))
    for path in ("/", "/status", "/metrics"):
        assert MARKER not in fresh(port, path)


def test_readers_that_take_nothing_hold_up_nobody(world):
    """Slow-loris on the port, and many rapid clients, while a secret rotates."""
    port = free_port()
    world.plant("db")
    sidecar = world.sidecar("db", AKVSYNC_LISTEN=f"{IPV4}:{port}")
    stuck = [socket.create_connection((IPV4, port)) for _ in range(3)]
    for sock in stuck:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n")
    ends = threading.Event()
    answered = []

    def hammer():
        while not ends.is_set():
            try:
                answered.append(get(port, "/status")[0])
            except OSError:
                answered.append(0)

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for value in ("two", "three", "four"):
            world.fake.rotate("db", value)
            sidecar.poll()
            world.wait_files({"db": value})
    finally:
        ends.set()
        for thread in threads:
            thread.join()
        for sock in stuck:
            sock.close()
    wait_until(lambda: request(port, "/readyz")[0] == 200)
    assert picture(port)["ready"] and answered.count(200) > 10


def test_rapid_readers_get_one_document(world):
    """It is made once a second at most, however many ask for it: they cost the syncs nothing."""
    port = free_port()
    world.plant("db")
    world.sidecar("db", AKVSYNC_LISTEN=f"{IPV4}:{port}")
    begun = time.monotonic()
    # The CPU time differs from one document to the next.
    seen = {get(port, "/metrics")[2] for _ in range(200)}
    assert len(seen) <= time.monotonic() - begun + 1, "a document was made for each reader"

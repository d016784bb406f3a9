"""The table of faults: whatever the network or the service does, the last good files stay, the
log says what is wrong, and it heals by itself when the fault is over."""

import contextlib
import errno
import json
import re
import socket
import ssl
import subprocess
import threading
import time
import warnings
from dataclasses import dataclass, field
from typing import Callable

import pytest
from conftest import BINARY, DEADLINE_S, PROMPT_S, wait_until
from test_picture import ask_socket, samples

from fakevault.client import Proxy

ALWAYS = -1


@dataclass
class Fault:
    """One row. The sidecar runs with secrets 'a' and 'b' published; 'a' is rotated under the fault."""

    name: str
    says: str
    """A pattern for the message."""
    action: dict | None = None
    """A scripted fault of the service, for the vault's requests unless `target` says otherwise."""
    target: str = "vault"
    times: int = ALWAYS
    """A limited number heals within the round: then the log tells of it at debug level only."""
    begin: Callable = lambda world: None
    end: Callable = lambda world: None
    """What to do besides, and how to undo it."""
    rotates: bool = True
    """False: the fault is a state of secret 'a' itself, and ends with it."""
    env: dict = field(default_factory=dict)
    fails: tuple[str, str, set] | None = None
    """What status and metrics call it: the kind, the error, and the names; of one that lasts."""
    code: str | None = None
    """By which its requests are counted; None: there are none."""
    received: Callable | None = None
    """Asserts on the journal of the time of the fault; struck() unless said otherwise."""
    proxied: bool = False
    polls: bool = True
    """A poll after the fault is asked for; False: it must heal without."""
    moves: bool = False
    """The other secret goes on rotating meanwhile."""


def of_vault(entries):
    return [e for e in entries if e["target"] == "vault"]


def waited(seconds):
    """The first retry came no sooner than the service asked for."""

    def check(_, entries):
        hit = next(i for i, e in enumerate(entries) if e["fault"])
        later = [e for e in entries[hit + 1 :] if e["path"].rstrip("/") == entries[hit]["path"].rstrip("/")]
        assert later, "no retry"
        assert later[0]["monotonic"] - entries[hit]["monotonic"] >= seconds - 0.05

    return check


def struck(_, entries):
    """The fault met requests for objects, or for tokens, and no other reply brought a value."""
    assert [e for e in entries if e["fault"]]
    assert not [e for e in of_vault(entries) if e["status"] == 200 and not e["fault"]]


def healed(_, entries):
    """It was met, and then asked again until it was over."""
    hit = [i for i, e in enumerate(entries) if e["fault"]]
    assert hit and any(e["status"] == 200 for e in entries[hit[-1] :])


def one_new_connection(_, entries):
    """It is asked again over another connection, once for each object."""
    asked = [e for e in of_vault(entries) if e["authenticated"]]
    assert sorted(e["path"].strip("/") for e in asked) == ["secrets/a", "secrets/b"]


def no_assertion_sent(_, entries):
    assert not [e for e in entries if e["target"] == "login"]


def tried_once(_, entries):
    asked = [e for e in of_vault(entries) if e["path"].rstrip("/") == "/secrets/a" and e["authenticated"]]
    assert len(asked) == 1, "400, 403 and 404 are not tried again within a round"


def tried_several_times(_, entries):
    assert len([e for e in entries if e["fault"]]) >= 3


def one_new_token(_, entries):
    assert len([e for e in entries if e["target"] == "login"]) == 1


def never_reached(_, entries):
    assert not of_vault(entries)


def no_token_sent(_, entries):
    assert not [e for e in of_vault(entries) if e["bearer"] != "none"]


def no_vault_request(_, entries):
    assert not [e for e in of_vault(entries) if e["bearer"] != "none"]
    assert [e for e in entries if e["target"] == "login"]


def expire_token(world):
    world.fake.revoke_tokens()


def throttled(name, seconds, **header):
    return Fault(
        name,
        "secret '[ab]': 429 Throttled; too many requests",
        action={"status": 429, **header},
        times=1,
        received=waited(seconds),
        code="429",
    )


SLOW = {"AKVSYNC_REQUEST_TIMEOUT": "1s"}
KEPT_ALIVE = SLOW | {"AKVSYNC_POLL_INTERVAL": "60s"}
"""Connections stay open between polls."""

VAULT = ("vault", "unavailable", {"shop-kv"})
GARBLED = ("object", "garbled", {"a", "b"})
IDENTITY = ("identity", "identity", {None})
ENTRA = ("token-endpoint", "unavailable", {None})

FAULTS = [
    throttled("429 without a header", 0.5),
    throttled("429 Retry-After in seconds", 2, retry_after_s=2),
    throttled("429 Retry-After as a date", 1, retry_after_date_in_s=2),
    throttled("429 retry-after-ms", 1.5, headers={"retry-after-ms": "1500"}),
    throttled("429 x-ms-retry-after-ms", 1.5, headers={"x-ms-retry-after-ms": "1500"}),
    Fault("429 that stays", "429 Throttled; too many requests to vault 'shop-kv'.*lengthen AKVSYNC_POLL_INTERVAL", action={"status": 429}, received=tried_several_times,
          fails=VAULT, code="429"),
    Fault("503", "secret '[ab]': 503.*vault 'shop-kv', or a gateway before it, has a fault", action={"status": 503}, received=tried_several_times,
          fails=VAULT, code="503"),
    Fault("500 with HTML", "secret '[ab]': 500", action={"status": 500, "html": True}, fails=VAULT, code="500"),
    Fault("502 without a body", "secret '[ab]': 502", action={"status": 502, "empty": True},
          fails=VAULT, code="502"),
    Fault("408", "secret '[ab]': 408", action={"status": 408}, fails=VAULT, code="408"),
    Fault("400", "secret '[ab]': 400", action={"status": 400}, received=tried_once,
          fails=("object", "configuration", {"a", "b"}), code="400"),
    Fault("token ends in mid-life", "", begin=expire_token, times=1, received=one_new_token, code="401"),
    Fault(
        "401 that stays",
        "secret '[ab]': 401.*does not accept the token of identity",
        action={"status": 401},
        received=lambda _, entries: one_new_token(_, entries),
        fails=IDENTITY, code="401",
    ),
    Fault("refused", "cannot connect to '.*': Connection refused", proxied=True,
          begin=lambda w: (w.proxy.refuse(), w.proxy.reset()), end=lambda w: w.proxy.forward(),
          received=never_reached,
          fails=VAULT, code="connect"),
    Fault("established connection black-holed", "no answer from '.*' within 1000 ms", proxied=True,
          begin=lambda w: w.proxy.blackhole(), end=lambda w: w.proxy.forward(),
          env=KEPT_ALIVE, received=never_reached,
          fails=VAULT, code="timeout"),
    Fault("black hole for established connections only", "no answer from '.*' within 1000 ms", proxied=True,
          begin=lambda w: w.proxy.blackhole(new="forward"), env=KEPT_ALIVE, times=1,
          received=one_new_connection,
          code="timeout"),
    Fault("connections reset", "the connection to '.*' broke.*does a firewall or a gateway .* end it", action={"reset": True},
          fails=VAULT, code="broken"),
    Fault("reset in mid-body", "the connection to '.*' broke", action={"reset_after": 20},
          fails=VAULT, code="broken"),
    Fault("closed in mid-body", "the connection to '.*' broke", action={"truncate_after": 20},
          fails=VAULT, code="broken"),
    Fault("closed without an answer", "the connection to '.*' broke", action={"close": True},
          fails=VAULT, code="broken"),
    Fault("no answer", "no answer from '.*' within 1000 ms", action={"hold": True}, env=SLOW,
          fails=VAULT, code="timeout"),
    Fault("slow body", "no answer from '.*' within 1000 ms", env=SLOW,
          action={"slow": {"chunk_bytes": 1, "interval_ms": 300}},
          fails=VAULT, code="timeout"),
    Fault("oversize body", "the reply of '.*' is larger than 262144 bytes", action={"oversize_mib": 8},
          fails=GARBLED, code="too-big"),
    Fault("garbage JSON", "secret '[ab]': garbled reply: not JSON", action={"garbage": True},
          fails=GARBLED, code="200"),
    Fault("200 with HTML", "secret '[ab]': garbled reply", action={"status": 200, "html": True},
          fails=GARBLED, code="200"),
    Fault("200 without a value", "garbled reply: no value",
          action={"status": 200, "json": {"id": "https://x/secrets/a/" + "0" * 32}},
          fails=GARBLED, code="200"),
    Fault("200 without a version", "garbled reply: no version",
          action={"status": 200, "json": {"value": "x", "id": "https://x/secrets/a"}},
          fails=GARBLED, code="200"),
    Fault("redirect", "secret '[ab]': 302; redirects are not followed",
          action={"status": 302, "location": "https://login.localhost/stolen"},
          received=lambda _, e: [pytest.fail("followed") for x in e if "stolen" in x["path"]],
          fails=VAULT, code="302"),
    Fault("Entra throttles", "token endpoint answered status 429|AADSTS", begin=expire_token,
          action={"status": 429, "retry_after_s": 1}, target="login", times=2,
          code="429"),
    Fault("Entra is down", "client .*: token endpoint answered status 503; Entra, or a gateway before it, has a fault", begin=expire_token,
          action={"status": 503, "html": True}, target="login", received=tried_several_times,
          fails=ENTRA, code="503"),
    Fault("Entra's reply is garbage", "token endpoint's reply is not JSON", begin=expire_token,
          action={"status": 200, "body": "{"}, target="login",
          fails=ENTRA, code="200"),
    Fault("Entra does not answer", "cannot get a token: no answer from '.*' within 1000 ms",
          begin=expire_token, action={"hold": True}, target="login", env=SLOW,
          fails=ENTRA, code="timeout"),
    Fault("federation removed", "AADSTS700213: .*; no federated credential has this subject",
          begin=lambda w: (expire_token(w), w.fake.write_assertion("wrong-subject")),
          end=lambda w: w.fake.write_assertion("good"), polls=False, received=one_new_token,
          fails=IDENTITY, code="401"),
    Fault("assertion expired", "AADSTS700024: .*has expired or is not valid yet",
          begin=lambda w: (w.fake.write_assertion("expired"), expire_token(w)),
          end=lambda w: w.fake.write_assertion("good"), polls=False, received=one_new_token,
          fails=IDENTITY, code="401"),
    Fault("assertion empty", "the file that AZURE_FEDERATED_TOKEN_FILE names is empty",
          begin=lambda w: (w.fake.write_assertion("empty"), expire_token(w)),
          end=lambda w: w.fake.write_assertion("good"), polls=False, received=no_assertion_sent,
          fails=IDENTITY),
    Fault("assertion is no token", "does not hold a service account token",
          begin=lambda w: (w.fake.write_assertion("garbage"), expire_token(w)),
          end=lambda w: w.fake.write_assertion("good"), polls=False, received=no_assertion_sent,
          fails=IDENTITY),
    Fault("secret disabled", "secret 'a': 403 SecretDisabled; the secret is disabled: enable it",
          begin=lambda w: w.fake.disable("a"), end=lambda w: w.fake.enable("a"), rotates=False,
          received=tried_once, moves=True,
          fails=("object", "permission", {"a"}), code="403"),
    Fault("secret missing", "secret 'a': 404 SecretNotFound; check the name",
          begin=lambda w: (w.fake.vault_settings(settle_s=0), w.fake.delete("a")), end=lambda w: w.fake.recover("a"), rotates=False,
          received=tried_once, moves=True,
          fails=("object", "not-found", {"a"}), code="404"),
    Fault("forbidden", "secret 'a': 403 ForbiddenByRbac; identity .* may not read it; grant",
          begin=lambda w: w.fake.revoke("get", name="a"), end=lambda w: w.fake.grant("get", name="a"),
          received=tried_once, moves=True,
          fails=("object", "permission", {"a"}), code="403"),
]


def assert_shown(world, fault):
    """Status, metrics, page and command tell this fault, and no other."""
    kind, error, names = fault.fails
    told = None

    def tells():
        nonlocal told
        told = json.loads(ask_socket(world, "/status"))
        return {(one["kind"], one["error"], one["name"]) for one in told["failing"]} == {(kind, error, name) for name in names}

    assert wait_until(tells, 10), told["failing"]
    for one in told["failing"]:
        assert re.search(fault.says.replace("[ab]", one["name"] if kind == "object" else "[ab]"), one["message"]), one
        assert one["count"] >= 1 and told["startedAt"] <= one["since"] <= told["time"]
        assert one["consequence"] == "the last good files stay"
    stale = names if kind == "object" else {"a", "b"}
    for one in told["objects"]:
        is_stale = one["object"] in stale
        assert one["state"] == ("stale" if is_stale else "up-to-date"), one
        assert not is_stale or (one["error"]["kind"], one["error"]["error"]) == (kind, error), one
    assert told["lastSync"]["status"] == "partial" and told["consecutiveFailures"] >= 1 and told["ready"]
    have = samples(ask_socket(world, "/metrics"))
    for name in names:
        assert have[f'akvsync_failing{{kind="{kind}",name="{name or ""}",error="{error}"}}'] == 1
        assert time.time() - 120 < have[f'akvsync_failing_since_timestamp_seconds{{kind="{kind}",name="{name or ""}"}}'] <= time.time()
    assert len([sample for sample in have if sample.startswith("akvsync_failing{")]) == len(names)
    for name in ("a", "b"):
        assert have[f'akvsync_object_up_to_date{{object="{name}"}}'] == (name not in stale)
    assert_counted(fault, have)
    code, text = run_status(world)
    assert code == 0
    for one in told["failing"]:
        assert f"{kind} ({error})" in text or f"{kind} '{one['name']}' ({error})" in text, text
        assert one["message"] in text, text


def assert_counted(fault, have):
    """Its requests have their code in the metrics."""
    of_token = fault.target == "login" or (fault.fails or VAULT)[0] == "identity" and fault.name != "401 that stays"
    prefix = "akvsync_token_requests_total{" if of_token else 'akvsync_vault_requests_total{vault="shop-kv",kind="secret",'
    if fault.code is not None:
        assert have[f'{prefix}code="{fault.code}"}}'] >= 1, have
    throttled = have['akvsync_vault_throttled_total{vault="shop-kv"}']
    assert (throttled >= 1) == (fault.code == "429" and not of_token)


def run_status(world):
    run = subprocess.run(
        [BINARY, "status"], env={"AKVSYNC_DIR": str(world.volume)}, capture_output=True, text=True, timeout=30, check=False
    )
    return run.returncode, run.stdout


def run_fault(world, fault):
    first, other = world.plant("a", "b")
    env = dict(fault.env)
    if fault.proxied:
        env["AKVSYNC_VAULT"] = world.fake.url("shop-kv", world.proxy.port)
    sidecar = world.sidecar("a, b", **env)
    world.wait_files({"a": first, "b": other})
    generation, mark, since = world.generation(), world.fake.mark(), sidecar.mark()

    fault.begin(world)
    rule = fault.action and world.fake.fault(fault.action, target=fault.target, times=fault.times)
    if fault.rotates:
        first = world.plant("a")
    sidecar.poll()
    lasting = fault.times == ALWAYS
    if fault.says:
        told = sidecar.wait_log("failure" if lasting else "retry", fault.says, since)
    if lasting:
        assert told["kind"] == fault.fails[0]
        assert_shown(world, fault)
        assert told["consequence"] == "the last good files stay"
        assert world.generation() == generation
        (fault.received or struck)(world, world.fake.journal(since=mark))
        if fault.moves:
            other = world.plant("b")
            sidecar.poll()
            world.wait_files(world.files() | {"b": other})
            assert len(sidecar.find("failure", fault.says, since)) == 1, "repeats are counted, not printed"

    fault.end(world)
    if rule and lasting:
        world.fake.remove_fault(rule)
    if lasting and fault.polls:
        sidecar.poll()
    world.wait_files({"a": first, "b": other})
    if lasting:
        sidecar.wait_log("recovered", since=since)
    else:
        assert wait_until(lambda: not fault.code or f'code="{fault.code}"' in ask_socket(world, "/metrics"), 10)
        assert_counted(fault, samples(ask_socket(world, "/metrics")))
        (fault.received or healed)(world, world.fake.journal(since=mark))
        assert not sidecar.find("failure", since=since)
    assert sidecar.stop()[0] == 0


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: re.sub(r"\W+", "-", fault.name))
def test_fault(world, fault):
    if not fault.proxied:
        run_fault(world, fault)
        return
    with Proxy(world.fake.port) as proxy:
        world.proxy = proxy
        run_fault(world, fault)


def test_the_table_is_long_enough():
    assert len(FAULTS) >= 20
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert all(bool(fault.fails) == (fault.times == ALWAYS) for fault in FAULTS), "each that lasts says how it is shown"


@pytest.mark.parametrize("world", ["flat", "nested"], indirect=True)
def test_replaced_assertion_is_tried_at_once(world):
    """The backoff has grown to many seconds; the new file is noticed without waiting for it."""
    world.plant("a")
    sidecar = world.sidecar("a")
    world.fake.write_assertion("expired")
    world.fake.revoke_tokens()
    sidecar.poll()
    sidecar.wait_log("failure", "AADSTS700024")
    for _ in range(3):  # each refusal makes the backoff longer
        since, mark = sidecar.mark(), world.fake.mark()
        world.fake.write_assertion("expired")
        sidecar.wait_log("poll-requested", "file was replaced", since)
        world.fake.wait_journal(1, target="login", since=mark)  # or that round reads the next one
    value, mark, since = world.plant("a"), world.fake.mark(), sidecar.mark()
    world.fake.write_assertion("good")
    world.fake.wait_journal(1, target="login", status=200, since=mark, timeout=DEADLINE_S)
    world.wait_files({"a": value})
    sidecar.wait_log("poll-requested", "file was replaced", since)


def assert_told_in_metrics(world, code):
    """The vault fails, by a request of any kind."""
    for sample in (r'akvsync_failing\{kind="vault",name="[^"]+",error="unavailable"\} 1', rf'akvsync_vault_requests_total\{{.*code="{code}"\}}'):
        assert wait_until(lambda sample=sample: re.search(sample, ask_socket(world, "/metrics")), 10), sample


class Impostor(threading.Thread):
    """A TLS server of its own CA; `requests` are those that it got to see."""

    def __init__(self, folder, name, newest):
        super().__init__(daemon=True)
        self.ca, self.requests = folder / "other-ca.pem", []
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-keyout", folder / "other-key.pem", "-out", self.ca, "-subj", "/CN=other",
             "-addext", f"subjectAltName=DNS:{name}"],
            check=True, capture_output=True,
        )  # fmt: skip
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.ca, folder / "other-key.pem")
        self.context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore"):
            self.context.minimum_version, self.context.maximum_version = ssl.TLSVersion.TLSv1, newest
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            plain, _ = self.socket.accept()
            with contextlib.suppress(OSError), self.context.wrap_socket(plain, server_side=True) as peer:
                self.requests += [text for text in [peer.recv(4096)] if text]


@pytest.mark.parametrize(
    "name, trusted, newest, says",
    [
        ("*.vault.localhost", False, ssl.TLSVersion.TLSv1_3, "self-signed certificate"),
        ("elsewhere.example", True, ssl.TLSVersion.TLSv1_3, "no alternative certificate subject name matches"),
        ("*.vault.localhost", True, ssl.TLSVersion.TLSv1_1, "protocol version"),
    ],
    ids=["unknown-ca", "wrong-host-name", "old-tls"],
)
def test_a_server_that_is_not_the_vault(world, name, trusted, newest, says):
    """It answers under the vault's address for a while: it gets no request, and the files stay."""
    impostor = Impostor(world.folder, name, newest)
    bundle = world.folder / "bundle.pem"
    bundle.write_text(world.fake.ca.read_text() + (impostor.ca.read_text() if trusted else ""))
    a = world.plant("a")
    with Proxy(world.fake.port) as proxy:
        vault = world.fake.url("shop-kv", proxy.port)
        sidecar = world.sidecar("a", AKVSYNC_VAULT=vault, SSL_CERT_FILE=str(bundle))
        proxy.set(to_port=impostor.port)
        mark, old = world.fake.mark(), a
        a = world.plant("a")
        sidecar.poll()
        told = sidecar.wait_log("failure", f"TLS with '.*' failed: .*{says}")
        assert told["consequence"] == "the last good files stay" and world.files() == {"a": old}
        assert_told_in_metrics(world, "tls")
        assert not impostor.requests and not of_vault(world.fake.journal(since=mark))
        proxy.set(to_port=world.fake.port)
        world.wait_files({"a": a})
        sidecar.wait_log("recovered")


class NameServer(threading.Thread):
    """Answers every question with "no such name", with silence, or with 127.0.0.1, as `mode` says; in a
    mount namespace of the child's own, /etc/resolv.conf names it."""

    def __init__(self, folder, mode):
        super().__init__(daemon=True)
        self.mode, self.questions = mode, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        address = next(f"127.0.53.{n}" for n in range(1, 250) if self.takes(f"127.0.53.{n}"))
        (folder / "resolv.conf").write_text(f"nameserver {address}\noptions timeout:30 attempts:1\n")
        (folder / "nsswitch.conf").write_text("hosts: files dns\n")
        script = (
            f'mount --bind {folder}/resolv.conf /etc/resolv.conf && '
            f'mount --bind {folder}/nsswitch.conf /etc/nsswitch.conf && exec "$@"'
        )
        self.wrapper = ("unshare", "-m", "sh", "-c", script, "sh")
        self.start()

    def takes(self, address):
        try:
            self.socket.bind((address, 53))
        except OSError as error:
            if error.errno == errno.EACCES:
                pytest.skip("a name server on port 53 needs root")
            return False
        return True

    def answer(self, question):
        flags = bytes([0x81 | (question[2] & 1)])
        if self.mode == "unknown":
            return question[:2] + flags + b"\x83" + question[4:]
        end = question.index(b"\0", 12) + 5  # of the one question
        if question[end - 4 : end - 2] != b"\0\1":  # no address of another kind
            return question[:2] + flags + b"\x80" + question[4:6] + bytes(6) + question[12:end]
        record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + bytes([127, 0, 0, 1])
        return question[:2] + flags + b"\x80" + question[4:6] + b"\0\1" + bytes(4) + question[12:end] + record

    def run(self):
        while True:
            question, sender = self.socket.recvfrom(512)
            self.questions += 1
            if self.mode != "silent":
                self.socket.sendto(self.answer(question), sender)


def test_unknown_host(world):
    """The error of a wrong vault name."""
    names = NameServer(world.folder, "unknown")
    process = world.start(
        "init", env=world.env("a", AKVSYNC_VAULT="no-such-vault", AKVSYNC_INIT_TIMEOUT="11s"),
        wrapper=names.wrapper,
    )
    assert process.wait() == 6
    assert process.find("exit", "cannot resolve host 'no-such-vault.vault.azure.net'")
    assert names.questions and not of_vault(world.fake.journal())


@pytest.mark.parametrize(
    "mode, says", [("unknown", "cannot resolve host '{}'"), ("silent", "no DNS answer for '{}' within 1000 ms")]
)
def test_names_that_do_not_resolve_for_a_while(world, mode, says):
    """The files stay, the log says so, it heals by itself, and SIGTERM does not wait for the name server."""
    names = NameServer(world.folder, "good")
    host = f"shop-kv.vault.azure.net:{world.fake.port}"
    env = {"AKVSYNC_VAULT": f"https://{host}", "AKVSYNC_REQUEST_TIMEOUT": "1s"}
    a = world.plant("a")
    process = world.start("init", env=world.env("a", **env), wrapper=names.wrapper)
    assert process.wait() == 0 and world.files() == {"a": a}
    names.mode, mark = mode, world.fake.mark()
    sidecar = world.sidecar("a", wait=False, wrapper=names.wrapper, **env)
    told = sidecar.wait_log("failure", says.format(host))
    assert told["consequence"] == "the last good files stay" and world.files() == {"a": a}
    assert_told_in_metrics(world, "dns" if mode == "unknown" else "timeout")
    assert not of_vault(world.fake.journal(since=mark))
    names.mode, a = "good", world.plant("a")
    world.wait_files({"a": a})
    sidecar.wait_log("recovered")
    names.mode = mode
    code, seconds = sidecar.stop()
    assert code == 0 and seconds < PROMPT_S


def test_sigterm_while_a_name_is_looked_up(world):
    names = NameServer(world.folder, "silent")
    sidecar = world.sidecar("a", wait=False, wrapper=names.wrapper, AKVSYNC_VAULT="silent-vault")
    sidecar.wait_log("start")
    assert wait_until(lambda: names.questions)
    code, seconds = sidecar.stop()
    assert code == 143 and seconds < PROMPT_S


def test_challenge_of_a_foreign_domain_gets_no_token(world):
    world.plant("a")
    world.fake.fault(
        {"status": 401, "www_authenticate": 'Bearer authorization="{authority}/{tenant}", '
         'resource="https://vault.evil.example"'},
        target="vault", times=ALWAYS,
    )
    process = world.init("a")
    assert process.code == 3
    assert process.find("exit", "asks for a token for 'https://vault.evil.example', which is not its own domain.*AKVSYNC_VERIFY_CHALLENGE=false")
    no_token_sent(world, world.fake.journal())
    assert not [e for e in world.fake.journal(target="login") if "evil" in str(e["login"])]


def test_challenge_with_another_resource_of_the_own_domain(world):
    """Costs at most one more token, which is asked for by that resource."""
    world.plant("a")
    resource = f"https://localhost:{world.fake.port}"
    world.fake.fault(
        {"status": 401, "www_authenticate": 'Bearer authorization="{authority}/{tenant}", '
         f'resource="{resource}"'},
        target="vault", times=ALWAYS,
    )
    world.init("a", AKVSYNC_INIT_TIMEOUT="3s", AKVSYNC_REQUEST_TIMEOUT="1s")
    scopes = [entry["login"]["scope"] for entry in world.fake.journal(target="login")]
    first = "https://vault.localhost/.default"  # unless the challenge was quicker
    assert scopes[0] in (first, f"{resource}/.default") and set(scopes[1:]) <= {f"{resource}/.default"}
    assert f"{resource}/.default" in scopes

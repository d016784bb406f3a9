"""Proxies: what HTTPS_PROXY and NO_PROXY may say, what the proxy sees, and who is blamed for a failure."""

import contextlib
import os
import re
import socket
import threading

import pytest
from test_network import says

from fakevault.client import ConnectProxy, Proxy

ALWAYS = -1


@pytest.fixture
def real(world):
    """Azure's own names, on port 443, which only a proxy can reach here."""
    world.fake.vault_settings()
    return {"AKVSYNC_VAULT": "shop-kv", "AZURE_AUTHORITY_HOST": ""}


def test_proxy(world, real):
    s = world.plant("s")
    with ConnectProxy(world.fake.port) as proxy:
        process = world.init("s", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}", **real)
        assert process.code == 0, process.text
        heads = proxy.heads()
    assert world.files() == {"s": s}
    assert {head["target"] for head in heads} == {"shop-kv.vault.azure.net:443", "login.microsoftonline.com:443"}
    assert_proxy_saw_nothing(world, heads)


def assert_proxy_saw_nothing(world, heads):
    text = "".join(head["text"] for head in heads)
    assert not re.search(r"^authorization:", text, re.M | re.I)
    for marker in world.fake.markers(values=True):
        assert marker[-40:] not in text


def test_proxy_with_authentication(world, real):
    world.plant("s")
    password = "pr0xy-" + os.urandom(8).hex()
    with ConnectProxy(world.fake.port, user=f"me:{password}") as proxy:
        url = f"http://me:{password}@127.0.0.1:{proxy.port}"
        sidecar = world.sidecar("s", HTTPS_PROXY=url, **real)
        shown = sidecar.find("start")[0]["settings"]["HTTPS_PROXY"]
        assert shown == f"http://(user)@127.0.0.1:{proxy.port}"
        assert password.encode() not in (sidecar.environ() or b"")
        sidecar.look()
        assert password not in world.said()
        assert all(head["status"] == 200 for head in proxy.heads()), "sent at once, not after a refusal"


def test_proxy_that_wants_a_password(world, real):
    world.plant("s")
    with ConnectProxy(world.fake.port, user="me:secret") as proxy:
        url = f"http://you:wr0ng-pass@127.0.0.1:{proxy.port}"
        process = world.init("s", HTTPS_PROXY=url, AKVSYNC_INIT_TIMEOUT="3s", **real)
    assert process.code == 6
    assert f"the proxy '127.0.0.1:{proxy.port}' refuses" in says(process)
    assert "with status 407; put user and password into HTTPS_PROXY" in says(process)
    assert "wr0ng-pass" not in world.said()


def test_proxy_that_refuses_the_vault(world, real):
    world.plant("s")
    with ConnectProxy(world.fake.port, refuse="shop-kv.vault.azure.net") as proxy:
        process = world.init("s", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}", AKVSYNC_INIT_TIMEOUT="3s", **real)
    assert process.code == 6
    assert "refuses 'shop-kv.vault.azure.net' with status 403; have the proxy admit" in says(process)


@pytest.mark.parametrize("status, fix", [
    (302, "have the proxy admit the host, or name 'shop-kv.vault.azure.net' in NO_PROXY"),
    (403, "have the proxy admit the host"),
    (502, "the proxy cannot reach the host: does it resolve the name"),
    (503, "the proxy cannot reach the host"),
    (504, "the proxy cannot reach the host"),
])
def test_proxy_that_does_not_connect(world, real, status, fix):
    """Whatever it says, its own status is told, not taken for the vault's."""
    world.plant("s")
    with ConnectProxy(world.fake.port, refuse="shop-kv.vault.azure.net", status=status) as proxy:
        process = world.init("s", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}", AKVSYNC_INIT_TIMEOUT="3s", **real)
    assert process.code == 6
    assert f"the proxy '127.0.0.1:{proxy.port}' refuses 'shop-kv.vault.azure.net' with status {status}" in says(process)
    assert fix in says(process) and "network policies" not in says(process)


@contextlib.contextmanager
def answers(text):
    """A port where each connection is told this, whatever it asks for."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    with server.accept()[0] as peer, contextlib.suppress(OSError):
                        peer.recv(4096)
                        peer.sendall(text.encode())

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("text, says_", [
    ("http://127.0.0.1:1", "cannot connect to the proxy '127.0.0.1:1': Connection refused; are host and port"),
    ("127.0.0.1:1", "cannot connect to the proxy '127.0.0.1:1': Connection refused"),
    ("http://me:pl4nted-pass@127.0.0.1:1", "cannot connect to the proxy '127.0.0.1:1': Connection refused"),
    ("http://127.0.0.77", "cannot connect to the proxy '127.0.0.77:80': Connection refused; HTTPS_PROXY names no port"),
    ("http://no-such-proxy.invalid:3128", "cannot resolve the proxy 'no-such-proxy.invalid:3128'"),
    ("http://127.0.0.1:{tls}", "the proxy '127.0.0.1:{tls}' does not answer as a proxy does"),
    ("https://127.0.0.1:{plain}", "TLS with the proxy '127.0.0.1:{plain}' failed"),
    ("http://127.0.0.1:{plain}", "the proxy '127.0.0.1:{plain}' refuses '"),
    ("http://127.0.0.1:{mail}", "the proxy '127.0.0.1:{mail}' does not answer as a proxy does"),
])
def test_proxy_that_is_none(world, real, text, says_):
    """The message blames it by host and port, never with its user, and does not send to the vault's network."""
    with answers("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as plain, answers("220 mail ready\r\n") as mail:
        ports = {"tls": world.fake.port, "plain": plain, "mail": mail}
        env = real | {"AKVSYNC_INIT_TIMEOUT": "4s", "AKVSYNC_REQUEST_TIMEOUT": "2s"}
        process = world.init("s", HTTPS_PROXY=text.format(**ports), **env)
    assert process.code == 6 and says_.format(**ports) in says(process), says(process)
    assert "network policies" not in says(process) and "pl4nted" not in world.said()


def test_proxy_that_opens_a_way_to_nowhere(world, real):
    """It says 200, and closes the connection: the message names it, since the host may be well."""
    with answers("HTTP/1.1 200 Connection established\r\n\r\n") as port:
        process = world.init("s", HTTPS_PROXY=f"http://127.0.0.1:{port}", AKVSYNC_INIT_TIMEOUT="3s", **real)
    assert process.code == 6
    assert "failed: " in says(process) and f"asked through the proxy '127.0.0.1:{port}'" in says(process), says(process)


@pytest.mark.parametrize("text", [
    "http://me:{raw}@127.0.0.1:{port}", "http://me:{encoded}@127.0.0.1:{port}", "me:{raw}@127.0.0.1:{port}",
    "HTTP://me:{raw}@127.0.0.1:{port}/\n", " http://me:{encoded}@127.0.0.1:{port} \n",
])
def test_proxy_by_each_spelling(world, real, text):
    """Also with '@' and '%' in the password, and with the line end of a file."""
    world.plant("s")
    raw = "p@ss:w%rd-" + os.urandom(6).hex()
    with ConnectProxy(world.fake.port, user=f"me:{raw}") as proxy:
        text = text.format(raw=raw, encoded=raw.replace("%", "%25").replace("@", "%40").replace(":", "%3a"), port=proxy.port)
        process = world.init("s", HTTPS_PROXY=text, **real)
        assert process.code == 0, process.text
        assert all(head["status"] == 200 for head in proxy.heads())
    assert raw not in world.said() and "ss:w" not in world.said()


def test_the_proxy_s_headers_are_not_the_vault_s(world, real):
    """Those of its answer to CONNECT: a delay in them would hold the vault for two minutes."""
    s = world.plant("s")
    world.fake.fault({"status": 503}, target="vault", times=2, authenticated=True)
    headers = ("Retry-After: 120", "retry-after-ms: 120000", "x-ms-request-id: 00000000-bad0-bad0-bad0-000000000000",
               'WWW-Authenticate: Bearer authorization="https://evil.example/t", resource="https://evil.example"')
    with ConnectProxy(world.fake.port, headers=headers) as proxy:
        process = world.init("s", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}", AKVSYNC_INIT_TIMEOUT="30s", **real)
    assert process.code == 0, process.text
    assert world.files() == {"s": s} and "bad0" not in process.text and "evil" not in process.text


@pytest.mark.parametrize("scheme", ["", "http://"])
@pytest.mark.parametrize("sign", "/?#")
def test_proxy_s_password_must_be_written_so_that_it_can_be_read(world, scheme, sign):
    """Otherwise its begin would pass for the proxy's name, and stand in messages."""
    process = world.init("s", HTTPS_PROXY=f"{scheme}me:s3cr3t-begin{sign}end@127.0.0.1:1")
    assert process.code == 3 and "written as %2F, %3F and %23" in says(process)
    assert "s3cr3t-begin" not in world.said()


def test_proxy_over_tls(world, real):
    """Its CA is added to the trusted ones."""
    world.plant("s")
    with ConnectProxy(world.fake.port, tls_dir=world.folder / "proxy") as proxy:
        env = real | {"https_proxy": f"https://proxy.localhost:{proxy.port}"}
        process = world.init("s", AKVSYNC_INIT_TIMEOUT="3s", **env)
        assert process.code == 6 and "TLS with the proxy 'proxy.localhost" in says(process)
        process = world.init("s", AKVSYNC_EXTRA_CA_FILE=str(world.folder / "proxy/ca.pem"), **env)
        assert process.code == 0, process.text


def test_no_proxy(world):
    """In lower case as well; hosts that are named are reached directly."""
    world.plant("s")
    env = {"https_proxy": "http://127.0.0.1:1", "no_proxy": "other.example,.localhost"}
    assert world.init("s", **env).code == 0


@pytest.mark.parametrize("no_proxy, spared", [
    ("*", True),
    (".localhost", True),
    ("localhost", True),
    ("*.localhost", True),
    (".LocalHost.", True),
    ("10.0.0.0/8;.localhost", True),
    ("[::1];vault.localhost;login.localhost", True),
    ("other.example\n.localhost\n", True),
    (".localhost:{port}", True),
    ("vault.localhost:{port}, login.localhost:{port}", True),
    ("*:{port}", True),
    (".localhost:443", False),
    ("calhost", False),
    ("127.0.0.0/8", False),
    ("*localhost", False),
    ("https://vault.localhost", False),
])
def test_no_proxy_decides(world, no_proxy, spared):
    """The proxy does not exist: what is not spared fails with its name."""
    world.plant("s")
    env = {"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": no_proxy.format(port=world.fake.port)}
    process = world.init("s", AKVSYNC_INIT_TIMEOUT="20s" if spared else "2s", **env)
    if spared:
        assert process.code == 0, process.text
    else:
        assert process.code == 6 and "cannot connect to the proxy '127.0.0.1:1'" in says(process)


def test_no_proxy_entries_that_name_nothing_are_told_of(world):
    world.plant("s")
    wrong = {
        "https://kv.vault.azure.net": "write the host alone", "*azure.net": "such as .vault.azure.net",
        "10.0.0.*": "10.0.0.0/8", "10.0.0.0/99": "10.0.0.0/8", "a|b": "commas between", "host:http": "not a port",
    }
    process = world.init("s", NO_PROXY=",".join(wrong) + ",.svc;10.0.0.0/8 [::1]:443,*.x.example,me:pl4nted@p.example")
    assert process.code == 0
    for entry, fix in wrong.items():
        assert process.find("advice", f"NO_PROXY: '{re.escape(entry)}' names no host: .*{fix}"), entry
    assert len(process.find("advice", "NO_PROXY")) == len(wrong) + 1 and "pl4nted" not in world.said()


def test_no_proxy_is_heeded_when_blame_is_laid(world):
    env = {"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "*.localhost"}
    process = world.init("s", AKVSYNC_VAULT="https://shop-kv.vault.localhost:1", AKVSYNC_INIT_TIMEOUT="2s", **env)
    assert process.code == 6 and "cannot connect to 'shop-kv.vault.localhost:1'" in says(process)
    assert "NO_PROXY names it, so the proxy '127.0.0.1:1' is not used" in says(process)


def test_proxy_that_hangs(world, real):
    with Proxy(world.fake.port) as proxy:
        proxy.blackhole()
        env = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "AKVSYNC_REQUEST_TIMEOUT": "1s"}
        process = world.init("s", AKVSYNC_INIT_TIMEOUT="3s", **env, **real)
    assert process.code == 6
    assert f"the proxy '127.0.0.1:{proxy.port}' did not answer for" in says(process)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_vault_that_hangs_in_tls_behind_a_proxy(world, real, scheme):
    """The proxy did its part, so the message does not say that it did not answer."""
    with Proxy(world.fake.port) as hole:
        hole.blackhole()
        tls_dir = world.folder / "proxy" if scheme == "https" else None
        with ConnectProxy(hole.port, tls_dir=tls_dir) as proxy:
            env = {"HTTPS_PROXY": f"{scheme}://proxy.localhost:{proxy.port}", "AKVSYNC_REQUEST_TIMEOUT": "1s"}
            if tls_dir:
                env["AKVSYNC_EXTRA_CA_FILE"] = str(tls_dir / "ca.pem")
            process = world.init("s", AKVSYNC_INIT_TIMEOUT="3s", **env, **real)
    assert process.code == 6
    assert re.search(r"no answer from '[a-z.-]+' within 1000 ms; it was asked through the proxy 'proxy.localhost:", says(process))


def test_vault_that_hangs_behind_a_proxy(world, real):
    world.plant("s")
    world.fake.fault({"hold": True}, target="vault", times=ALWAYS)
    with ConnectProxy(world.fake.port) as proxy:
        env = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "AKVSYNC_REQUEST_TIMEOUT": "1s"}
        process = world.init("s", AKVSYNC_INIT_TIMEOUT="3s", **env, **real)
    assert process.code == 6 and "no answer from 'shop-kv.vault.azure.net' within" in says(process)


def test_variables_of_other_programs_are_not_used(world):
    world.plant("s")
    assert world.init("s", ALL_PROXY="http://127.0.0.1:1", http_proxy="http://127.0.0.1:1").code == 0

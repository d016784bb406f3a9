"""The program: its ready line, its life and death, its command line."""

import json
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from .client import PROGRAM, FakeVault
from .https import Caller


def run(fake, *arguments, status=0, **options):
    done = subprocess.run(
        [PROGRAM, *arguments],
        env={**os.environ, "FAKEVAULT_ADMIN": fake.admin_url},
        capture_output=True,
        text=True,
        **options,
    )
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout) if done.stdout else done.stderr


def test_ready_line_has_what_a_client_needs(fake):
    ready = fake.info()
    assert ready["vault_url"] == f"https://shop-kv.vault.localhost:{fake.port}"
    assert ready["authority"] == f"https://login.localhost:{fake.port}/"
    assert ready["env"] == {
        "AZURE_CLIENT_ID": ready["client_id"],
        "AZURE_TENANT_ID": ready["tenant_id"],
        "AZURE_FEDERATED_TOKEN_FILE": ready["assertion_file"],
        "AZURE_AUTHORITY_HOST": ready["authority"],
        "SSL_CERT_FILE": ready["ca"],
        "AKVSYNC_VAULT": ready["vault_url"],
    }
    assert fake.env(X="1").items() >= (ready["env"] | {"X": "1"}).items()


def test_private_files_are_private(fake):
    for path in fake.directory.iterdir():
        if path.name in ("tls.pem", "cluster.key"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"PRIVATE" not in fake.ca.read_bytes()


def test_restart_keeps_trust_and_port(tmp_path):
    with FakeVault(tmp_path, layout="nested") as first:
        ca, port = first.ca.read_bytes(), first.port
        assert first.assertion_file == tmp_path / "wi/token/azure-identity-token"
        assert Caller(first).login().status == 200
        assert first.stop() == 0
    with FakeVault(tmp_path, layout="nested", port=port) as second:
        assert second.port == port and second.ca.read_bytes() == ca
        assert Caller(second).login().status == 200


def test_a_port_in_use_is_an_error(fake, tmp_path):
    arguments = ["serve", "--dir", tmp_path, "--port", str(fake.port)]
    assert "in use" in run(fake, *arguments, status=1)


def test_it_dies_with_its_parent(tmp_path):
    script = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen([{str(PROGRAM)!r}, 'serve', '--dir', {str(tmp_path)!r}, '--die-with-parent'],"
        " stdout=subprocess.PIPE)\n"
        "p.stdout.readline()\n"
        "print(p.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    descriptor = os.pidfd_open(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while _alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.close(descriptor)


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_help_has_examples(fake):
    done = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True)
    assert "examples:" in done.stdout


def test_secrets_from_the_command_line(fake):
    caller = Caller(fake)
    version = run(fake, "set", "s", "--tag", "a=b", "--content-type", "text/plain", input="v1\n")["version"]
    answer = caller.get("/secrets/s").json
    assert answer["value"] == "v1\n" and answer["id"].endswith(version) and answer["tags"] == {"a": "b"}
    run(fake, "set", "s", "--value", "v2", "--vault", "other-kv")
    assert caller.get("/secrets/s", host="other-kv.vault.localhost").json["value"] == "v2"
    run(fake, "rotate", "s")
    assert caller.get("/secrets/s").json["value"].startswith("rotated-")
    assert len(run(fake, "show", "s")["versions"]) == 2
    run(fake, "disable", "s")
    assert caller.get("/secrets/s").status == 403
    run(fake, "enable", "s")
    fake.vault_settings(settle_s=0)
    run(fake, "delete", "s")
    assert caller.get("/secrets/s").status == 404
    run(fake, "recover", "s")
    run(fake, "delete", "s")
    run(fake, "purge", "s")
    assert "SecretNotFound" in run(fake, "show", "s", status=1)


def test_the_rest_of_the_command_line(fake):
    caller = Caller(fake)
    run(fake, "fault", '{"status": 429}', "--target", "vault", "--times", "-1", "--authenticated", "true")
    assert caller.get("/secrets/s").status == 429
    assert run(fake, "faults")[0]["hits"] == 1
    assert len(run(fake, "journal", "--status", "429", "--wait", "1")) == 1
    run(fake, "clear-faults")
    run(fake, "revoke", "get", "--on-name", "s")
    assert caller.get("/secrets/s").status == 403
    run(fake, "grant", "get", "--on-name", "s")
    assert caller.get("/secrets/s").status == 404
    assert run(fake, "revoke-tokens") == {"revoked": 1}
    assert run(fake, "token-policy", "--lifetime-s", "60")["lifetime_s"] == 60
    run(fake, "reject-assertions", "700024")
    assert caller.login().json["error_codes"] == [700024]
    run(fake, "reject-assertions", "none")
    run(fake, "assertion", "--kind", "expired")
    assert caller.login().status == 401
    run(fake, "assertion", "--dir", fake.directory)
    assert caller.login().status == 200
    assert run(fake, "identities")[0]["client_id"] == fake.client_id
    assert run(fake, "connections")["opened"] >= 1
    run(fake, "reset")
    assert fake.journal() == []


def test_reset_keeps_ids_and_forgets_the_rest(fake):
    caller = Caller(fake)
    fake.set("s", "v")
    fake.revoke("get")
    caller.authenticate()
    fake.reset()
    assert caller.get("/secrets/s").message.startswith("[TokenExpired]")
    caller.authenticate()
    assert caller.get("/secrets/s").status == 404
    assert fake.info()["client_id"] == fake.identities()[0]["client_id"]


def test_mistakes_are_named(fake):
    assert "say --admin" in subprocess.run(
        [PROGRAM, "faults"], capture_output=True, text=True, env={"PATH": os.environ["PATH"]}
    ).stderr
    with pytest.raises(Exception, match="colour"):
        fake.set("s", "v", colour="red")
    with pytest.raises(Exception, match="NoVault"):
        fake.set("s", "v", vault="none")
    with pytest.raises(Exception, match="no permission"):
        fake.grant("fly")

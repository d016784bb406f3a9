"""Microsoft's SDKs for Python and Go, and Azure's command line, work against the fake under Azure's own names, as they
are: they are told of a proxy and of a CA, and nothing else."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from fakevault.client import ConnectProxy, FakeVault

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "e2e"))

from credentials import Credential  # noqa: E402


@pytest.fixture
def fake(tmp_path):
    """Knows an application by a secret and by two certificates, and the machine's identity; has one secret."""
    made = {"good": Credential.make(), "other": Credential.make(), "rooted": Credential.make(rooted=True)}
    for name, credential in made.items():
        (tmp_path / f"{name}.pem").write_bytes(credential.pem_leaf_first())
    good, rooted = made["good"], made["rooted"]
    locked = BestAvailableEncryption(b"word")
    pfx = pkcs12.serialize_key_and_certificates(None, good.key, good.certificate, None, locked)
    (tmp_path / "good.pfx").write_bytes(pfx)
    with FakeVault(tmp_path / "fake") as running:
        running.set("planted", "value")
        running.update_identity(
            client_secrets={"right": False},
            certificates=[good.public_pem],
            certificate_roots=[rooted.root_pem],
            managed="user",
        )
        yield running


def run(fake, *command, **more):
    """The lines that a client says when it is content."""
    with ConnectProxy(fake.port) as proxy:
        env = fake.env(
            HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}",
            NO_PROXY="127.0.0.1,localhost",
            REQUESTS_CA_BUNDLE=str(fake.ca),
            FOLDER=str(fake.directory.parent),
            HOME=str(fake.directory.parent),
            **more,
        )
        del env["AZURE_AUTHORITY_HOST"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        assert any("login.microsoftonline.com" in head["target"] for head in proxy.heads())
    return done.stdout


def agents(fake):
    return " ".join({entry["user_agent"] or "" for entry in fake.journal(target="vault", status=200)})


def test_the_python_sdk(fake, client):
    python = client("python") / "bin/python"
    said = run(fake, python, HERE / "python_sdk.py", AZURE_POD_IDENTITY_AUTHORITY_HOST=fake.imds)
    assert re.findall("# pass (.*)", said) == ["signs_in", "secrets", "keys", "certificates"]
    for kind in ("secrets", "keys", "certificates"):
        assert f"azsdk-python-keyvault-{kind}" in agents(fake)
    logins = [entry["login"] for entry in fake.journal(status=200) if entry["login"].get("token_id")]
    assert {login["credential"] for login in logins} == {"assertion", "secret", "certificate", "imds"}
    assert {login["alg"] for login in logins if "alg" in login} == {"RS256"}


def test_the_go_sdk(fake, client):
    said = run(fake, client("go") / "sdk.test", "-test.v")
    assert re.findall(r"--- PASS: (\w+)", said) == ["TestSignsIn", "TestSecrets", "TestKeys", "TestCertificates"]
    for kind in ("secrets", "keys", "certificates"):
        assert f"azsdk-go-az{kind}" in agents(fake)
    logins = [entry["login"] for entry in fake.journal(target="login", status=200)]
    assert {login["alg"] for login in logins if "alg" in login} == {"PS256"}


def test_azures_command_line(fake, client, tmp_path):
    settings = {"AZURE_CONFIG_DIR": str(tmp_path / "azure"), "AZURE_CORE_COLLECT_TELEMETRY": "no"}
    said = run(fake, client("az") / "bin/python", HERE / "az_commands.py", **settings)
    assert re.findall("# pass (.*)", said) == ["secrets", "keys", "certificates"]
    assert agents(fake).startswith("AZURECLI/")
    assert fake.journal(target="manager", status=200), "it asked for subscriptions"

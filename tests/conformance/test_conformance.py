"""Microsoft's JavaScript SDK works against the fake vault, so the fake is right where it is used."""

import shutil
import subprocess
import sys
from pathlib import Path

from fakevault.client import FakeVault

sys.path.append(str(Path(__file__).resolve().parents[1] / "e2e"))

from credentials import Credential  # noqa: E402


def node(sdk, script, env):
    command = ["node", "--import", "./loopback.mjs", "--test", "--test-reporter=tap", script]
    run = subprocess.run(command, cwd=sdk, env=env, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_microsofts_sdk_works_unmodified(sdk, tmp_path):
    with FakeVault(tmp_path / "fake") as fake:
        fake.set("typed", "made elsewhere", content_type="text/plain")
        fake.write_assertion("expired")
        expired = tmp_path / "expired"
        shutil.copy(fake.assertion_file, expired)
        fake.write_assertion("good")
        env = fake.env(
            NODE_EXTRA_CA_CERTS=str(fake.ca),
            VAULT_URL=fake.vault_url,
            OTHER_CLIENT_ID=fake.add_identity(federations=[{}])["client_id"],
            EXPIRED_ASSERTION_FILE=str(expired),
        )
        said = node(sdk, "secrets.test.mjs", env)
        assert "# pass 9" in said, said
        assert fake.journal(target="login", status=200), "it signed in"
        for method in ("GET", "PUT", "PATCH", "DELETE", "POST"):
            assert fake.journal(target="vault", method=method), f"no {method} arrived"
        agents = {entry["user_agent"] for entry in fake.journal(target="vault", status=200)}
        assert all("azsdk-js-keyvault-secrets" in agent for agent in agents), agents


def test_microsofts_sdk_signs_in_with_each_credential(sdk, tmp_path):
    """The ways in which the binary signs in: so the fake is right about each of them."""
    good, expired, other = Credential.make(), Credential.make(days=-1), Credential.make()
    rooted = Credential.make(rooted=True)
    for name, credential in {"good": good, "expired": expired, "other": other, "rooted": rooted}.items():
        (tmp_path / f"{name}.pem").write_bytes(credential.pem_leaf_first())
    with FakeVault(tmp_path / "fake") as fake:
        fake.set("s", "value")
        fake.update_identity(
            client_secrets={"right": False, "old": True},
            certificates=[good.public_pem, expired.public_pem],
            certificate_roots=[rooted.root_pem],
            managed="user",
            resource_id="/subscriptions/1/resourceGroups/rg/x",
        )
        env = fake.env(
            NODE_EXTRA_CA_CERTS=str(fake.ca),
            VAULT_URL=fake.vault_url,
            FOLDER=str(tmp_path),
            IMDS=fake.imds,
            OBJECT_ID=fake.identities()[0]["object_id"],
        )
        del env["AZURE_FEDERATED_TOKEN_FILE"]  # else a managed identity means workload identity to it
        said = node(sdk, "identity.test.mjs", env)
        assert "# pass 7" in said, said
        app_service = env | fake.app_service
        assert "# pass 1" in node(sdk, "app-service.test.mjs", app_service)
        wrong = app_service | {"IDENTITY_HEADER": "wrong", "REFUSED": "1"}
        assert "# pass 1" in node(sdk, "app-service.test.mjs", wrong)
        logins = [entry["login"] for entry in fake.journal() if entry["status"] == 200 and entry["login"]]
        kinds = {login["credential"] for login in logins}
        assert kinds == {"secret", "certificate", "imds", "app-service"}


def test_microsofts_sdk_makes_and_reads_keys_and_certificates(sdk, tmp_path):
    with FakeVault(tmp_path / "fake") as fake:
        env = fake.env(NODE_EXTRA_CA_CERTS=str(fake.ca), VAULT_URL=fake.vault_url)
        said = node(sdk, "keys.test.mjs", env)
        assert "# pass 11" in said, said
        agents = {entry["user_agent"] for entry in fake.journal(target="vault", status=200)}
        for client in ("keys", "certificates", "secrets"):
            assert any(f"azsdk-js-keyvault-{client}" in agent for agent in agents), agents

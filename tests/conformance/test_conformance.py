"""Microsoft's JavaScript SDK works against the fake vault, so the fake is right where it is used."""

import fcntl
import hashlib
import pathlib
import shutil
import subprocess

import pytest

from fakevault.client import FakeVault

HERE = pathlib.Path(__file__).resolve().parent
BUILT = HERE.parents[1] / "build/conformance"
PACKAGE = ("package.json", "package-lock.json", ".npmrc")


@pytest.fixture(scope="session")
def sdk():
    """The SDK, installed outside the source tree; once for each content of the lock file."""
    BUILT.mkdir(parents=True, exist_ok=True)
    wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in PACKAGE)).hexdigest()
    done = BUILT / "installed"
    with open(BUILT / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != wanted:
            for name in PACKAGE:
                shutil.copy(HERE / name, BUILT)
            install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            run = subprocess.run(install, cwd=BUILT, capture_output=True, text=True)
            assert run.returncode == 0, f"cannot install the SDK:\n{run.stdout}{run.stderr}"
            done.write_text(wanted)
        # Modules are found above the file that imports them.
        for path in HERE.glob("*.mjs"):
            shutil.copy(path, BUILT)
    return BUILT


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
        command = ["node", "--import", "./loopback.mjs", "--test", "--test-reporter=tap", "secrets.test.mjs"]
        run = subprocess.run(command, cwd=sdk, env=env, capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "# pass 9" in run.stdout, run.stdout
        assert fake.journal(target="login", status=200), "it signed in"
        for method in ("GET", "PUT", "PATCH", "DELETE", "POST"):
            assert fake.journal(target="vault", method=method), f"no {method} arrived"
        agents = {entry["user_agent"] for entry in fake.journal(target="vault", status=200)}
        assert all("azsdk-js-keyvault-secrets" in agent for agent in agents), agents


def test_microsofts_sdk_makes_and_reads_keys_and_certificates(sdk, tmp_path):
    with FakeVault(tmp_path / "fake") as fake:
        env = fake.env(NODE_EXTRA_CA_CERTS=str(fake.ca), VAULT_URL=fake.vault_url)
        command = ["node", "--import", "./loopback.mjs", "--test", "--test-reporter=tap", "keys.test.mjs"]
        run = subprocess.run(command, cwd=sdk, env=env, capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "# pass 11" in run.stdout, run.stdout
        agents = {entry["user_agent"] for entry in fake.journal(target="vault", status=200)}
        for client in ("keys", "certificates", "secrets"):
            assert any(f"azsdk-js-keyvault-{client}" in agent for agent in agents), agents

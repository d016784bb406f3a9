"""The pages on environment variables are true: their tables name what the program has."""

import re
import subprocess

from conftest import BINARY, ROOT

ENV = (ROOT / "docs/env.md").read_text()
AKV2K8S = (ROOT / "docs/migrate-from-akv2k8s.md").read_text()
SOURCE = "".join(path.read_text() for path in sorted((ROOT / "syncer/exec").glob("*.c")))
HELP = subprocess.run([BINARY, "exec", "--help"], env={}, capture_output=True, text=True, check=True).stdout


def test_each_option_is_on_the_page_and_in_the_help():
    known = set(re.findall(r'^\t\{ "(--[a-z-]+)", VALUE_', SOURCE, re.M))
    assert len(known) == 10
    assert set(re.findall(r"^\| `(--[a-z-]+)", ENV.split("## On a change")[0], re.M)) == known
    assert set(re.findall(r"^  (--[a-z-]+)", HELP, re.M)) == known


def test_names_that_all_never_sets_are_on_the_page():
    table = re.search(r"never\[\] = \{(.*?)\};", SOURCE, re.S)[1]
    names = set(re.findall(r'"([A-Z_*]+)"', table))
    line = ENV[ENV.index("- `--all` never sets") : ENV.index("a warning names such a file")]
    assert set(re.findall(r"`([A-Z_*]+)`", line)) == names


def test_the_keys_of_akv2k8s_are_taken(tmp_path):
    (tmp_path / "..set").mkdir()
    (tmp_path / "..data").symlink_to("..set")
    content = {
        "KEY": '{"KEY": "x"}',
        "tls.crt": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n",
        "tls.key": "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n",
        "username": "x:y",
        "password": "y:x",
        "raw": "x",
    }
    keys = re.findall(r"`NAME@azurekeyvault\?([\w.]+)`", AKV2K8S)
    assert set(keys) == set(content)
    for key, text in content.items():
        (tmp_path / "..set/NAME").write_text(text)
        env = {"PATH": "/usr/bin:/bin", "AKVSYNC_DIR": str(tmp_path), "V": f"NAME@azurekeyvault?{key}"}
        run = subprocess.run([BINARY, "exec", "--", "printenv", "V"], env=env, capture_output=True, text=True, check=False)
        assert run.stdout.strip("\n") in (text.strip("\n"), "x"), run.stderr

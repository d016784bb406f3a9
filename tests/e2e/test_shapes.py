"""A pasted SecretProviderClass is read as the CSI provider reads it, whatever its YAML looks like: the table is in
shapes.py.  `check` takes each row, and `init` writes the bytes of each."""

import base64
import json
import re
import subprocess

import pki
import pytest
import shapes
from conftest import BINARY
from test_docs import MIGRATION, fake_jwk
from test_formats import P12, public_key_of

KINDS = {"certificate": "cert"}
PARTS = 8


def check(path):
    run = subprocess.run([BINARY, "check", "--output", "json", path], env={}, capture_output=True, text=True, check=False)
    return run.returncode, json.loads(run.stdout)


def listed(report):
    """Each file with its object and mode, as the table has it."""
    files = {}
    for entry in report["objects"]:
        kind, name = re.fullmatch(r"(\w+) '(.*)'", entry["object"]).groups()
        version = f"@{entry['version']}" if entry["version"] else ""
        mode = "" if entry["mode"] == "0440" else " " + entry["mode"]
        files |= {file["path"]: f"{KINDS.get(kind, kind)}/{name}{version}{mode}" for file in entry["files"]}
    return files


def test_the_table():
    assert len(shapes.SHAPES) >= 151
    assert set(shapes.WARNS) | set(shapes.DIFFERS) <= set(shapes.SHAPES)
    missing = {name: words for name, words in shapes.DIFFERS.items() if words not in MIGRATION}
    assert not missing, "docs/migrate-from-csi.md lacks a difference"


@pytest.mark.parametrize("name", shapes.SHAPES)
def test_check_reads_each_shape(tmp_path, name):
    text, expected = shapes.SHAPES[name]
    path = tmp_path / "pasted.yaml"
    path.write_bytes(text.encode())
    code, report = check(path)
    if isinstance(expected, str):
        assert code == 3 and expected in report["error"], report["error"]
        assert report["error"].startswith(f"configuration file '{path}': ")
        return
    assert code == 0, report["error"]
    assert listed(report) == {file: re.sub("^(base64|hex)/|~1", lambda m: "secret/" if m[1] else "", what) for file, what in expected.items()}
    assert (report["ignored"], report["repeated"]) == shapes.WARNS.get(name, (None, None))
    settings = report["settings"]
    assert settings["AKVSYNC_VAULT"]["value"] == "shop-kv" and settings["AZURE_TENANT_ID"]["value"] == shapes.TENANT
    assert settings["AZURE_CLIENT_ID"] == {"value": shapes.IDENTITY, "source": "file"}


def furnish(world, wanted):
    """Makes the objects; the bytes of each, by what the table calls them."""
    fake, made = world.fake, {}
    for what in sorted(wanted, key=lambda what: "@" not in what):  # the current version is the newest
        kind, name, version = re.fullmatch(r"(\w+)/([^@~]*)(?:@(\w+)|~1)?", what).groups()
        if kind == "secret" and name != "web" and "~" not in what:
            made[what] = f"planted {what}"
            if f"{what}~1" in wanted:
                made[f"{what}~1"] = f"planted before {what}"
                fake.set(name, made[f"{what}~1"], created=1_700_000_000)
            fake.set(name, made[what], **({"version": version, "created": 1_600_000_000} if version else {"created": 1_700_000_001}))
    fake.set("bytes", base64.b64encode(bytes(range(256))).decode())
    fake.set("digits", bytes(range(256)).hex().upper())
    chain = pki.Chain()
    fake.set_certificate("web", pki.base64_pfx(chain.key, list(reversed(chain.all))), pki.cer(chain.leaf), content_type=P12)
    fake.set_key("web", fake_jwk(chain.key))
    return {what: text.encode() for what, text in made.items()} | {
        "base64/bytes": bytes(range(256)), "hex/digits": bytes(range(256)), "key/web": public_key_of(chain, None)["web"],
        "cert/web": pki.cert_pem(chain.leaf), "secret/web": pki.key_pem(chain.key) + pki.cert_pem(*chain.all),
    }


@pytest.mark.parametrize("part", range(PARTS))
def test_init_writes_each_shape(world, part):
    rows = dict(list(shapes.SHAPES.items())[part::PARTS])
    taken = {name: expected for name, (_, expected) in rows.items() if not isinstance(expected, str)}
    made = furnish(world, {what.split()[0] for expected in taken.values() for what in expected.values()})
    for name, expected in taken.items():
        path = world.folder / "pasted.yaml"
        path.write_bytes(shapes.of_fake(rows[name][0], world.fake).encode())
        env = world.env(None, AKVSYNC_CONFIG=str(path), AKVSYNC_INIT_TIMEOUT="10s")
        process = world.start("init", env=env)
        assert process.wait() == 0, name + process.text
        assert world.files_bytes() == {file: made[what.split()[0]] for file, what in expected.items()}, name
        for file, what in expected.items():
            assert (world.volume / file).stat().st_mode & 0o777 == int((what.split() + ["440"])[1], 8), name
        told = {event: [entry["names"] for entry in process.find(event, re.escape(f"{path}: "))] for event in ("ignored", "repeated")}
        warns = shapes.WARNS.get(name, (None, None))
        assert told == {event: [names] if names else [] for event, names in zip(told, warns)}, name

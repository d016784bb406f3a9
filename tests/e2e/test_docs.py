"""The pages on objects and on migration are true: every example and every row of their tables is run."""

import json
import re
import subprocess

import pki
import pytest
from conftest import BINARY, ROOT
from test_formats import P12, jwk

OBJECTS = (ROOT / "docs/objects.md").read_text()
MIGRATION = (ROOT / "docs/migrate-from-csi.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```\nFiles: ([^\n]*)", OBJECTS, re.S)


def ticked(text):
    return re.findall(r"`([^`]+)`", text)


def furnish(world):
    """What the examples name."""
    fake = world.fake
    fake.set("db-password", "planted-first-password", version="0123456789abcdef0123456789abcdef")
    for name in ("db-password", "api-key", "pfx-password", "app-one", "app-two"):
        fake.set(name, f"planted-value-of-{name}")
    fake.update("app-two", tags={"env": "prod"})
    fake.set("keytab", "AAECAwQF")
    fake.set("db-config", '{"user": "shop", "password": "planted-of-json", "hosts": ["a", "b"], "port": 3306}')
    chain = pki.Chain()
    value = pki.base64_pfx(chain.key, list(reversed(chain.all)))
    fake.set_certificate("web", value, pki.cer(chain.leaf), content_type=P12)
    signing = jwk(pki.ec_key())
    signing(fake)
    fake.set_key("signing", fake_jwk(pki.ec_key()))
    fake.vault_settings("mail-kv")
    fake.set("db-password", "planted-other-password", vault="mail-kv")


def fake_jwk(key):
    from fakevault.keys_api import public_jwk

    return public_jwk(key.public_key())


def test_each_attribute_has_an_example():
    names = re.findall(r"^\| (`[^|]*`) \|", (ROOT / "docs/configuration.md").read_text(), re.M)
    attributes = {name for cell in names for name in ticked(cell)}
    used = "".join(yaml for yaml, _ in EXAMPLES)
    known = {"objectName", "objectType", "objectAlias", "objectVersion", "objectVersionHistory", "objectFormat",
             "objectEncoding", "filePermission", "layout", "pfxPasswordObject", "metadata", "optional", "vault", "jmesPath", "extract", "excludeObjectName", "passwordObject", "version",
             "objectNamePattern", "tags"}
    assert known <= attributes, "docs/configuration.md lists every attribute"
    assert all(re.search(rf"\b{name}:", used) for name in known)
    assert len(EXAMPLES) >= 15


@pytest.mark.parametrize("part", range(3))
def test_examples_of_the_page_on_objects(world, part):
    furnish(world)
    for yaml, files in EXAMPLES[part::3]:
        yaml = yaml.replace("https://mail-kv.vault.azure.net", world.fake.url("mail-kv"))
        process = world.init(yaml)
        assert process.code == 0, yaml + process.text
        assert set(world.files_bytes()) == set(ticked(files)), yaml


def check(manifest, folder):
    path = folder / "manifest.yaml"
    path.write_text(manifest)
    run = subprocess.run([BINARY, "check", "--output", "json", path], env={}, capture_output=True, text=True, check=False)
    return run.returncode, json.loads(run.stdout)


def manifest(objects="- |\n          objectName: a\n          objectType: secret", **parameters):
    lines = "".join(f"    {name}: {json.dumps(value)}\n" for name, value in parameters.items())
    vault = "" if "keyvaultName" in parameters else "    keyvaultName: shop-kv\n"
    return (
        "apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nspec:\n  provider: azure\n"
        f"  parameters:\n{vault}{lines}    objects: |\n      array:\n        {objects}\n"
    )


VALUES = {
    "cloudName": "AzureUSGovernmentCloud", "useVMManagedIdentity": "true", "usePodIdentity": "true",
    "useAzureTokenProxy": "true", "keyvaultName": "other-kv",
}


def test_parameters_of_the_page_on_migration(tmp_path):
    rows = re.findall(r"^\| (`[^|]*`) \| ([^|]*) \|$", MIGRATION.split("## Differences")[0], re.M)
    assert len(rows) >= 11
    for names, becomes in rows[1:]:
        for name in ticked(names):
            if name == "objects":
                continue  # in every manifest
            value = VALUES.get(name, "11111111-2222-3333-4444-555555555555")
            code, report = check(manifest(**{name: value}), tmp_path)
            assert code == 0, (name, report)
            if becomes.startswith("ignored"):
                assert report["ignored"] == name
            else:
                assert report["settings"][ticked(becomes)[0]]["source"] == "file", name
                assert report["ignored"] is None


def test_differences_of_the_page_on_migration(tmp_path):
    rows = re.findall(r"^\| `(\{.*\})` \| ([^|]*) \| ([^|]*) \|$", MIGRATION, re.M)
    assert len(rows) >= 10
    for entry, _, here in rows:
        inner = entry.replace("|", "\\|")
        code, report = check(manifest(f"- |\n          {inner}"), tmp_path)
        if here.startswith("refused"):
            assert code == 3, (entry, report)
            assert ticked(here)[0] in report["error"], (entry, report["error"])
        else:
            assert here.startswith("files:") and code == 0, (entry, report)
            paths = [file["path"] for file in report["objects"][0]["files"]]
            assert paths == ticked(here), entry


def test_the_example_of_a_configuration_file(tmp_path):
    page = (ROOT / "docs/configuration.md").read_text()
    text = re.search(r"## The configuration file.*?```yaml\n(.*?)```", page, re.S)[1]
    code, report = check(text, tmp_path)
    assert code == 0, report
    assert report["settings"]["AKVSYNC_POLL_INTERVAL"] == {"value": "1m", "source": "file"}

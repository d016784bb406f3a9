"""No message quotes a value of an identity variable: who mixes two up has put a secret where an id belongs."""

import json
import os
import subprocess

import pytest
from conftest import BINARY

ALWAYS = -1
BRIEF = {"AKVSYNC_INIT_TIMEOUT": "1s", "AKVSYNC_REQUEST_TIMEOUT": "500ms"}
LOCAL = "http://127.0.0.1:1"
NOBODY = {"AZURE_FEDERATED_TOKEN_FILE": ""}
MANAGED = NOBODY | {"AKVSYNC_AUTH": "managed-identity", "AZURE_POD_IDENTITY_AUTHORITY_HOST": LOCAL}
APP_SERVICE = NOBODY | {"IDENTITY_ENDPOINT": LOCAL + "/msi", "IDENTITY_HEADER": "header"}
SECRET = NOBODY | {"AZURE_CLIENT_SECRET": "not-so-secret"}
CERTIFICATE = NOBODY | {"AZURE_CLIENT_CERTIFICATE_PATH": "/none"}
BINDING = {"AZURE_KUBERNETES_TOKEN_PROXY": "https://127.0.0.1:1"}

IDENTITY = {
    "AKVSYNC_AUTH": {},
    "AKVSYNC_CLOUD": {},
    "AKVSYNC_VERIFY_CHALLENGE": {},
    "AKVSYNC_CLIENT_SECRET_FILE": NOBODY,
    "AKVSYNC_CLIENT_CERTIFICATE_PASSWORD_FILE": CERTIFICATE,
    "AKVSYNC_IDENTITY_OBJECT_ID": MANAGED,
    "AKVSYNC_IDENTITY_RESOURCE_ID": MANAGED,
    "AZURE_CLIENT_ID": SECRET,
    "AZURE_TENANT_ID": SECRET,
    "AZURE_FEDERATED_TOKEN_FILE": {},
    "AZURE_AUTHORITY_HOST": {},
    "AZURE_CLIENT_SECRET": NOBODY,
    "AZURE_CLIENT_CERTIFICATE_PATH": NOBODY,
    "AZURE_CLIENT_CERTIFICATE_PASSWORD": CERTIFICATE,
    "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": CERTIFICATE,
    "AZURE_POD_IDENTITY_AUTHORITY_HOST": MANAGED,
    "IDENTITY_ENDPOINT": APP_SERVICE,
    "IDENTITY_HEADER": APP_SERVICE,
    "AZURE_KUBERNETES_TOKEN_PROXY": BINDING,
    "AZURE_KUBERNETES_SNI_NAME": BINDING,
    "AZURE_KUBERNETES_CA_FILE": BINDING,
    "AZURE_KUBERNETES_CA_DATA": BINDING,
    "MSI_ENDPOINT": MANAGED,
    "MSI_SECRET": MANAGED,
    "IMDS_ENDPOINT": NOBODY | {"AKVSYNC_AUTH": "managed-identity"},
    "IDENTITY_SERVER_THUMBPRINT": APP_SERVICE,
}
"""Each identity variable, and what makes the program look at it."""

SHAPES = ["{}", "8Q~{}_.-", "{}=/+", "a b {}", "{}\n", "{}://x", "https://user:{}@", "https://x?{}", "nowhere/{}"]
"""Values of a wrong form, none of which is a path, a GUID, a domain or a URL."""
FEWER = {"IDENTITY_HEADER": 3, "MSI_ENDPOINT": 1, "MSI_SECRET": 1, "AZURE_CLIENT_SECRET": 3}
"""Variables for which any text is as good as another: how many shapes are tried."""
PROXIES = ["http://user:{}@127.0.0.1:1", "http://{}@127.0.0.1:1", "user:{}@127.0.0.1:1", "ftp://user:{}@127.0.0.1:1",
           "http://us/er:{}@127.0.0.1:1", "http://user:p@ss{}@127.0.0.1:1", "{}://127.0.0.1:1", "http://user:{}@", "a b{}"]


def new_marker():
    return "Marker" + os.urandom(16).hex()


def test_no_identity_variable_is_forgotten():
    run = subprocess.run([BINARY, "help"], env={}, capture_output=True, text=True, check=True)
    names = {line.split("=")[0].strip() for line in run.stdout.splitlines() if line.startswith("  ")}
    found = {name for name in names if name.startswith(("AZURE_", "IDENTITY_", "MSI_", "AKVSYNC_IDENTITY_", "AKVSYNC_CLIENT_"))}
    assert len(found) >= 18 and found <= set(IDENTITY)


COMMANDS = (["check"], ["check", "--output", "json"], ["check", "--online"], ["help"], ["probe", "live"], ["refresh"])


def all_says(world, env, brief=False):
    """All that the commands say under this environment; brief: those that differ in what they read of it."""
    world.termination_log.write_text("")
    for arguments in COMMANDS[: 2 if brief else None]:
        run = subprocess.run([BINARY, *arguments], env=env, capture_output=True, text=True, check=False)
        yield " ".join(arguments), run.stdout + run.stderr
    init = world.start("init", env=env)
    init.wait(60)
    yield "init", init.text + world.termination_log.read_text()
    if brief:
        return
    sidecar = world.start("sidecar", env=env)
    while sidecar.popen.poll() is None and not (sidecar.find("failure") or sidecar.find("ready")):
        with sidecar.changed:
            sidecar.changed.wait(0.05)
    sidecar.stop()
    yield "sidecar", sidecar.text + world.termination_log.read_text()


def assert_silent(world, env, marker, brief=False):
    for command, said in all_says(world, env, brief):
        assert marker.lower() not in said.lower(), f"{command} says {said}"


@pytest.mark.parametrize("name", IDENTITY)
def test_no_value_of_an_identity_variable_is_quoted(world, name):
    for shape in SHAPES[: FEWER.get(name)]:
        marker = new_marker()
        env = world.env("s", **(IDENTITY[name] | BRIEF | {name: shape.format(marker)}))
        assert_silent(world, env, marker, brief=shape != SHAPES[0])


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_no_credential_of_a_proxy_is_quoted(world, name):
    for shape in PROXIES if name == "HTTPS_PROXY" else PROXIES[:1]:
        marker = new_marker()
        assert_silent(world, world.env("s", **(BRIEF | {name: shape.format(marker)})), marker, brief=shape != PROXIES[0])


def test_a_value_that_fills_a_message_is_not_quoted(world):
    """Longer than any message, so that only its beginning would stand there."""
    for name in ("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_CERTIFICATE_PATH", "AKVSYNC_CLIENT_SECRET_FILE"):
        marker = new_marker()
        long = marker + "x" * 3000
        assert_silent(world, world.env("s", **(IDENTITY[name] | BRIEF | {name: long})), marker)


PARAMETERS = ["tenantID", "tenantId", "clientID", "userAssignedIdentityID", "cloudName", "useVMManagedIdentity"]
KEYS = ["clientId", "tenantId", "auth", "cloud", "identityObjectId", "identityResourceId", "authorityHost",
        "federatedTokenFile", "clientCertificatePath", "clientSecretFile", "verifyChallenge", "clientSecret"]


@pytest.mark.parametrize("kind", ["SecretProviderClass", "settings"])
def test_no_parameter_of_a_file_that_sets_one_is_quoted(world, kind):
    path = world.folder / "configuration.yaml"
    for name in PARAMETERS if kind == "SecretProviderClass" else KEYS:
        marker = new_marker()
        if kind == "SecretProviderClass":
            path.write_text(
                f"kind: SecretProviderClass\nspec:\n  provider: azure\n  parameters:\n    keyvaultName: shop-kv\n    {name}: "
                f"{marker}\n    objects: |\n      array:\n        - |\n          objectName: s\n"
            )
        else:
            path.write_text(f"{name}: {marker}\n")
        assert_silent(world, world.env("s", **(SECRET | BRIEF | {"AKVSYNC_CONFIG": str(path)})), marker, brief=True)


def test_what_entra_repeats_is_cleaned(world):
    """Whatever Entra quotes of what it was sent: a secret, in any case of its letters, is not shown; an id is."""
    marker = new_marker()
    world.plant("s")
    text = f"AADSTS700016: Application with identifier '{marker}' or '{marker.upper()}' was not found in '{world.fake.tenant_id}'."
    world.fake.fault({"status": 400, "json": {"error": "x", "error_codes": [700016], "error_description": text}}, target="login", times=ALWAYS)
    env = world.env("s", **(SECRET | BRIEF | {"AZURE_CLIENT_SECRET": marker}))
    for command, said in all_says(world, env):
        assert marker.lower() not in said.lower(), f"{command} says {said}"
    told = world.processes[-1].find("failure", "AADSTS700016")[0]["msg"]
    assert "(AZURE_CLIENT_SECRET)" in told and world.fake.tenant_id in told
    assert f"client {world.fake.client_id}: " in told


def test_swapped_id_and_secret_are_told_by_name(world):
    marker = new_marker()
    process = world.init("s", **(NOBODY | {"AZURE_CLIENT_ID": marker, "AZURE_CLIENT_SECRET": world.fake.client_id}))
    assert process.code == 3
    assert "AZURE_CLIENT_ID: the value is not a client id (GUID)" in process.find("exit")[0]["msg"]
    assert marker not in world.said()


def test_what_has_its_shape_is_shown(world):
    report = json.loads(
        subprocess.run(
            [BINARY, "check", "--output", "json"], env=world.env("s", AZURE_TENANT_ID="contoso.onmicrosoft.com"),
            capture_output=True, text=True, check=True,
        ).stdout
    )
    shown = {name: setting["value"] for name, setting in report["settings"].items()}
    assert shown["AZURE_CLIENT_ID"] == world.fake.client_id
    assert shown["AZURE_TENANT_ID"] == "contoso.onmicrosoft.com"
    assert shown["AZURE_FEDERATED_TOKEN_FILE"] == str(world.fake.assertion_file)
    assert shown["AZURE_AUTHORITY_HOST"].startswith("https://login.localhost:")

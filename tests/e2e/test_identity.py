"""Each credential: good, wrong and expired, what was sent with it, and what the hints say."""

import os
import re
import time
import uuid

import pytest
from credentials import PEM, Credential

from fakevault.client import ConnectProxy, Proxy

ALWAYS = -1
BRIEF = "4s"
"""How long init tries what will not work."""
NO_WORKLOAD = {"AZURE_FEDERATED_TOKEN_FILE": ""}
SECRET = "s3cr3t~with.every-kind_of+sign/=&%"


def says(process):
    return process.find("exit")[-1]["msg"] if process.find("exit") else process.text


def logins(world, **filters):
    return [entry for entry in world.fake.journal(**filters) if entry["login"]]


def only_login(world, target="login"):
    (entry,) = world.fake.journal(target=target)
    return entry["login"]


@pytest.fixture
def secret(world):
    """An application with a client secret: the file that holds it."""
    world.fake.update_identity(client_secrets={SECRET: False, "old-" + SECRET: True}, federations=[])
    world.plant("s")
    path = world.folder / "client-secret"
    path.write_text(SECRET + "\n")
    return path


@pytest.fixture
def certificate(world):
    """An application with a certificate, and a function that writes it to a file: the variables."""
    world.plant("s")
    credential = Credential.make()
    world.fake.update_identity(certificates=[credential.public_pem], federations=[])
    path = world.folder / "app.pem"

    def write(data):
        path.write_bytes(data)
        return {"AZURE_CLIENT_CERTIFICATE_PATH": str(path)}

    credential.write = write
    return credential


# Which credential


def start_line(world, **more):
    """What the start line says of the credential; the vault is not asked."""
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, AKVSYNC_REQUEST_TIMEOUT="500ms", **more)
    assert process.find("start"), process.text
    return process.find("start")[0]["auth"]


def test_auto_takes_what_is_set(world, secret):
    """In the SDKs' order: secret, certificate, workload identity, App Service, the machine's."""
    environment = {
        "AKVSYNC_CLIENT_SECRET_FILE": str(secret),
        "AZURE_CLIENT_CERTIFICATE_PATH": "/none",
        "AZURE_FEDERATED_TOKEN_FILE": str(world.fake.assertion_file),
        **world.fake.app_service,
        "AZURE_POD_IDENTITY_AUTHORITY_HOST": world.fake.imds,
    }
    expected = ["client-secret", "client-certificate", "workload-identity", "managed-identity (App Service)"]
    for name, removed in zip(expected, list(environment)):
        assert start_line(world, **environment) == name
        environment[removed] = ""
    assert start_line(world, **environment) == "managed-identity (IMDS)"


def test_auto_never_asks_imds_inside_kubernetes(world):
    """A forgotten label would silently use the node's identity."""
    world.plant("s")
    world.fake.update_identity(managed="user")
    imds = NO_WORKLOAD | {"AZURE_POD_IDENTITY_AUTHORITY_HOST": world.fake.imds, "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    process = world.init("s", **imds)
    assert process.code == 3
    assert 'azure.workload.identity/use: "true" set on the pod' in says(process)
    assert not world.fake.journal()
    assert world.init("s", AKVSYNC_AUTH="managed-identity", **imds).code == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"AKVSYNC_AUTH": "client-secret"}, "no client secret: set AKVSYNC_CLIENT_SECRET_FILE or"),
        ({"AKVSYNC_AUTH": "client-certificate"}, "AZURE_CLIENT_CERTIFICATE_PATH is not set"),
        ({"AZURE_CLIENT_SECRET": "x", "AKVSYNC_CLIENT_SECRET_FILE": "/x"}, "are both set; unset one"),
        ({"AZURE_CLIENT_SECRET": "x", "AZURE_TENANT_ID": ""}, "no tenant: AZURE_TENANT_ID is not set"),
        ({"AZURE_KUBERNETES_SNI_NAME": "x"}, "AZURE_KUBERNETES_TOKEN_PROXY is not set, but others"),
        ({"AZURE_KUBERNETES_TOKEN_PROXY": "http://x"}, "must be an https URL"),
        ({"AZURE_KUBERNETES_TOKEN_PROXY": "https://x", "AZURE_KUBERNETES_CA_FILE": "/x",
          "AZURE_KUBERNETES_CA_DATA": "x"}, "are both set; unset one"),
        ({"AKVSYNC_AUTH": "managed-identity", "AKVSYNC_IDENTITY_OBJECT_ID": "x"}, "is not an object id"),
        ({"AKVSYNC_AUTH": "managed-identity", "AKVSYNC_IDENTITY_RESOURCE_ID": "x"}, "does not start with /subscriptions/"),
        ({"AKVSYNC_AUTH": "managed-identity", "IDENTITY_ENDPOINT": "https://x", "IDENTITY_HEADER": "x"}, "must be an http URL"),
        ({"AKVSYNC_AUTH": "managed-identity", "IDENTITY_ENDPOINT": "http://localhost:40342/metadata/identity/oauth2/token"},
         "IDENTITY_HEADER is not, as on Azure Arc, whose managed identity is not supported: use AKVSYNC_AUTH=client-certificate"),
        ({"AKVSYNC_AUTH": "managed-identity", "IDENTITY_ENDPOINT": "http://localhost:40342/metadata/identity/oauth2/token",
          "IMDS_ENDPOINT": "http://localhost:40342"}, "IMDS_ENDPOINT is set, so this is Azure Arc"),
        (NO_WORKLOAD | {"MSI_ENDPOINT": "http://localhost:50342/oauth2/token"}, "MSI_ENDPOINT is set, so this is Cloud Shell"),
        ({"AKVSYNC_VERIFY_CHALLENGE": "perhaps"}, "AKVSYNC_VERIFY_CHALLENGE: the value is neither true nor false"),
        ({"HTTPS_PROXY": "ftp://x"}, "HTTPS_PROXY: its scheme is not a proxy's"),
        ({"AKVSYNC_EXTRA_CA_FILE": "/none"}, "from '/none'; AKVSYNC_EXTRA_CA_FILE names it"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_is_missing_exits_3(world, changes, expected):
    process = world.init("s", **changes)
    assert process.code == 3
    assert expected in says(process)
    assert not world.fake.journal()


# Client secret


def test_client_secret_from_a_file(world, secret):
    process = world.init("s", AKVSYNC_CLIENT_SECRET_FILE=str(secret))
    assert process.code == 0, process.text
    assert only_login(world)["credential"] == "secret"
    assert process.find("start")[0]["identity"] == world.fake.client_id


def test_client_secret_from_the_environment_is_wiped_there(world, secret):
    """A leaked environment is found by the assertion that all tests share."""
    sidecar = world.sidecar("s", AZURE_CLIENT_SECRET=SECRET)
    assert sidecar.find("start")[0]["settings"]["AZURE_CLIENT_SECRET"] == "(set)"
    said = sidecar.environ()
    if said is None:
        pytest.skip("looking at another process's environment needs root")
    assert b"AZURE_CLIENT_SECRET" in said and SECRET.encode() not in said


def test_whom_to_notify_is_wiped_in_the_environment(world):
    """It may hold what an app wants to see before it reloads."""
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY="http=POST http://127.0.0.1:9/reload?key=unguessable-4711")
    said = sidecar.environ()
    if said is None:
        pytest.skip("looking at another process's environment needs root")
    assert b"AKVSYNC_NOTIFY" in said and b"unguessable-4711" not in said


@pytest.mark.parametrize(
    ("given", "code", "hint"),
    [
        ("wrong-" + SECRET, 7000215, "give the secret's value, not its id"),
        ("old-" + SECRET, 7000222, "the client secret has expired: make a new one"),
    ],
    ids=["wrong", "expired"],
)
def test_client_secret_refused(world, secret, given, code, hint):
    secret.write_text(given)
    process = world.init("s", AKVSYNC_CLIENT_SECRET_FILE=str(secret), AKVSYNC_INIT_TIMEOUT=BRIEF)
    assert process.code == 4
    assert f"AADSTS{code}" in says(process) and hint in says(process)
    assert given not in process.text


def test_client_secret_file_is_read_anew_and_watched(world, secret):
    secret.write_text("old-" + SECRET)
    sidecar = world.sidecar("s", wait=False, AKVSYNC_CLIENT_SECRET_FILE=str(secret))
    sidecar.wait_log("failure", "AADSTS7000222")
    fresh = world.folder / "fresh"
    fresh.write_text(SECRET)
    os.rename(fresh, secret)
    sidecar.wait_log("ready")


@pytest.mark.parametrize("text", [None, "", " \n"], ids=["missing", "empty", "blank"])
def test_client_secret_file_that_is_no_use(world, secret, text):
    if text is None:
        secret.unlink()
    else:
        secret.write_text(text)
    process = world.init("s", AKVSYNC_CLIENT_SECRET_FILE=str(secret), AKVSYNC_INIT_TIMEOUT=BRIEF)
    assert process.code == 4
    assert "AKVSYNC_CLIENT_SECRET_FILE names" in says(process)
    assert not world.fake.journal(target="login")


# Client certificate


@pytest.mark.parametrize("form", ["pem", "pem-password", "pfx", "pfx-password"])
def test_client_certificate(world, certificate, form):
    password = "p4ss-" + os.urandom(8).hex() if form.endswith("password") else ""
    env = certificate.write(getattr(certificate, form.split("-")[0])(password))
    if form == "pem-password":
        env["AZURE_CLIENT_CERTIFICATE_PASSWORD"] = password
    elif password:
        (world.folder / "password").write_text(password + "\n")
        env["AKVSYNC_CLIENT_CERTIFICATE_PASSWORD_FILE"] = str(world.folder / "password")
    process = world.init("s", **env)
    assert process.code == 0, process.text
    login = only_login(world)
    assert (login["credential"], login["alg"]) == ("certificate", "PS256")
    assert login["header"] == ["alg", "typ", "x5t#S256"]
    claims = login["claims"]
    assert (claims["exp"] - claims["nbf"], claims["iat"]) == (600, claims["nbf"]) and abs(claims["nbf"] - time.time()) < 60
    assert not password or password not in world.said()


def test_client_certificate_signs_each_assertion_anew(world, certificate):
    """Entra takes an assertion once: no two have one id."""
    env = certificate.write(certificate.pem())
    for _ in range(2):
        assert world.init("s", **env).code == 0
    ids = [entry["login"]["claims"]["jti"] for entry in world.fake.journal(target="login")]
    assert len(ids) == 2 and len({uuid.UUID(one) for one in ids}) == 2


def test_client_certificate_with_its_chain(world):
    """Registered by subject name and issuer: only the chain tells."""
    world.plant("s")
    credential = Credential.make(rooted=True)
    world.fake.update_identity(certificate_roots=[credential.root_pem], federations=[])
    path = world.folder / "app.pfx"
    path.write_bytes(credential.pfx())
    env = {"AZURE_CLIENT_CERTIFICATE_PATH": str(path)}
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **env)
    assert process.code == 4 and "AADSTS700027" in says(process)
    assert world.init("s", AZURE_CLIENT_SEND_CERTIFICATE_CHAIN="true", **env).code == 0
    assert "x5c" in world.fake.journal(target="login", status=200)[0]["login"]["header"]


CHAINS = {
    "root first": lambda c: (c.key_pem, c.root, c.between, c.certificate),
    "key last": lambda c: (c.between, c.certificate, c.root, c.key_pem),
    "with a stranger": lambda c: (c.key_pem, Credential.make().certificate, c.certificate, c.root, c.between),
    "without its root": lambda c: (c.key_pem, c.between, c.certificate),
    "twice": lambda c: (c.key_pem, c.root, c.certificate, c.between, c.certificate, c.root),
}


@pytest.mark.parametrize("name", CHAINS)
def test_the_chain_is_sent_leaf_first(world, name):
    """Whatever order the file has: Entra takes the first as the one that signed, and each next as its issuer."""
    world.plant("s")
    credential = Credential.make(rooted=True, between=True)
    world.fake.update_identity(certificate_roots=[credential.root_pem], federations=[])
    path = world.folder / "app.pem"
    path.write_bytes(b"".join(p if isinstance(p, bytes) else p.public_bytes(PEM) for p in CHAINS[name](credential)))
    env = {"AZURE_CLIENT_CERTIFICATE_PATH": str(path), "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": "true"}
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **env)
    assert process.code == 0, process.text


def test_a_chain_that_is_too_long_is_an_error(world, certificate):
    """It was cut without a word, and the signature was over what was left."""
    large = Credential.make(rooted=True, padding=70_000)
    env = certificate.write(large.pem()) | {"AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": "true"}
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **env)
    assert process.code == 4 and "its chain is larger than 64 KiB" in says(process)
    assert "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN" in says(process)
    assert not world.fake.journal(target="login")


def test_client_certificate_of_another(world, certificate):
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **certificate.write(Credential.make().pem()))
    assert process.code == 4
    assert "AADSTS700027" in says(process) and "register" in says(process)


BAD_FILES = {
    "expired": (lambda c: Credential.make(days=-1).pem(), "its certificate expired on 20"),
    "garbage": (lambda c: b"nonsense", "neither PEM nor PFX"),
    "empty": (lambda c: b"", "neither PEM nor PFX"),
    "no-key": (lambda c: c.public_pem.encode(), "it holds no private key"),
    "no-certificate": (lambda c: c.pem(certificates=[]), "no certificate of its private key"),
    "another-certificate": (lambda c: c.pem(certificates=[Credential.make().certificate]), "no certificate of its"),
    "pem-password": (lambda c: c.pem("secret"), "encrypted and the password is not given"),
    "pfx-password": (lambda c: c.pfx("secret"), "its password is not given"),
    "elliptic": (lambda c: Credential.make(kind="ec").pem(), "not RSA"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_client_certificate_that_is_no_use(world, certificate, name):
    data, cause = BAD_FILES[name]
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **certificate.write(data(certificate)))
    assert process.code == 4
    assert "client certificate '" in says(process) and cause in says(process)
    assert not world.fake.journal(target="login")


@pytest.mark.parametrize("form", ["pem", "pfx"])
def test_client_certificate_with_a_wrong_password(world, certificate, form):
    env = certificate.write(getattr(certificate, form)("right"))
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, AZURE_CLIENT_CERTIFICATE_PASSWORD="wrong-one", **env)
    assert process.code == 4 and "does not fit" in says(process)


def test_client_certificate_file_is_read_anew(world, certificate):
    sidecar = world.sidecar("s", wait=False, **certificate.write(Credential.make(days=-1).pem()))
    sidecar.wait_log("failure", "its certificate expired")
    certificate.write(certificate.pem())
    sidecar.wait_log("ready")


def test_client_certificate_password_file_is_read_anew_and_watched(world, certificate):
    path = world.folder / "password"
    path.write_text("old")
    env = certificate.write(certificate.pfx("new"))
    sidecar = world.sidecar("s", wait=False, AKVSYNC_CLIENT_CERTIFICATE_PASSWORD_FILE=str(path), **env)
    sidecar.wait_log("failure", "does not fit")
    path.write_text("new")
    sidecar.wait_log("poll-requested", "file was replaced")
    sidecar.wait_log("ready")


# Managed identity


@pytest.fixture
def imds(world):
    world.plant("s")
    world.fake.update_identity(managed="user", resource_id="/subscriptions/1/resourceGroups/rg/x")
    return NO_WORKLOAD | {"AKVSYNC_AUTH": "managed-identity", "AZURE_POD_IDENTITY_AUTHORITY_HOST": world.fake.imds + "/"}


SELECTORS = {
    "client_id": lambda identity: {},
    "object_id": lambda identity: {"AKVSYNC_IDENTITY_OBJECT_ID": identity["object_id"]},
    "msi_res_id": lambda identity: {"AKVSYNC_IDENTITY_RESOURCE_ID": identity["resource_id"]},
}


@pytest.mark.parametrize("selector", SELECTORS)
def test_imds_by_each_selector(world, imds, selector):
    more = SELECTORS[selector](world.fake.identities()[0])
    assert world.init("s", **imds, **more).code == 0
    login = only_login(world, "imds")
    assert (login["selector"], login["resource"]) == (selector, "https://vault.localhost")
    assert not world.fake.journal(target="login")


def test_imds_system_assigned(world, imds):
    world.fake.update_identity(managed="system")
    process = world.init("s", AZURE_CLIENT_ID="", AZURE_TENANT_ID="", AZURE_AUTHORITY_HOST="", **imds)
    assert process.code == 0, process.text
    assert only_login(world, "imds")["selector"] is None
    assert process.find("start")[0]["identity"] == "(system-assigned)"


def test_imds_unknown_identity(world, imds):
    world.fake.update_identity(managed="")
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **imds)
    assert process.code == 4
    assert "metadata endpoint answered status 400; assign the identity to this machine" in says(process)


def test_imds_several_identities(world, imds):
    world.fake.add_identity(managed="user")
    process = world.init("s", AZURE_CLIENT_ID="", AKVSYNC_INIT_TIMEOUT=BRIEF, **imds)
    assert process.code == 4
    assert "several identities are assigned: choose one by AZURE_CLIENT_ID" in says(process)


def test_imds_waits_while_it_is_updated(world, imds):
    """410 for up to 70 s: tried again after 10 s at the soonest, whatever else there is to try."""
    world.fake.fault({"status": 410}, target="imds", times=2)
    assert world.init("s", **imds).code == 0
    times = [entry["monotonic"] for entry in world.fake.journal(target="imds")]
    assert len(times) == 3
    assert all(after - before >= 9.9 for before, after in zip(times, times[1:]))


@pytest.mark.parametrize("status", [404, 408, 409, 425, 429, 500, 503])
def test_imds_is_tried_again(world, imds, status):
    """Within the round: what passes by itself is no refusal of the identity, which would be told and tried later."""
    world.fake.fault({"status": status}, target="imds", times=1)
    process = world.init("s", **imds)
    assert process.code == 0
    assert len(world.fake.journal(target="imds")) == 2
    assert process.find("retry", f"answered status {status}") and not process.find("failure")


def test_imds_refusal_is_told_at_once(world, imds):
    """The counterpart: another status is a failure of the identity."""
    world.fake.fault({"status": 403}, target="imds", times=1)
    process = world.init("s", **imds)
    assert process.code == 0 and process.find("failure", "answered status 403", kind="identity")


def test_imds_never_through_a_proxy(world, imds):
    """Plain HTTP stays on the machine; the proxy that is set does not exist."""
    proxy = "http://127.0.0.1:1"
    assert world.init("s", HTTPS_PROXY=proxy, HTTP_PROXY=proxy, NO_PROXY=".localhost", **imds).code == 0
    assert not world.fake.journal(target="imds")[0]["via"]


def test_imds_that_is_not_there(world, imds):
    imds["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = "http://127.0.0.1:1"
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **imds)
    assert process.code == 6
    assert "cannot connect to '127.0.0.1:1'" in says(process) and "is this an Azure machine" in says(process)


def test_imds_redirect_is_not_followed(world, imds):
    world.fake.fault({"status": 302, "location": "http://127.0.0.1:1/"}, target="imds", times=ALWAYS)
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **imds)
    assert process.code == 6 and "answered status 302" in says(process)


@pytest.mark.parametrize("written", ["string", "number", "date"])
def test_app_service(world, imds, written):
    world.fake.token_policy(expires_on_type=written)
    sidecar = world.sidecar("s", **(imds | world.fake.app_service))
    assert sidecar.find("start")[0]["auth"] == "managed-identity (App Service)"
    assert sidecar.find("start")[0]["settings"]["IDENTITY_HEADER"] == "(set)"
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("unchanged", since=since)
    assert only_login(world, "app-service")["selector"] == "client_id", "one token serves two polls"


@pytest.mark.parametrize(
    ("date", "says"),
    [("Thu, 01 Jan 2026 00:00:00 GMT", r"this node's clock is \d+ s ahead of that of Azure"), (None, "is this node's clock right")],
    ids=["off", "unknown"],
)
def test_app_service_token_that_has_ended_by_our_clock(world, imds, date, says):
    body = {"access_token": "a.b.c", "expires_on": str(int(time.time()) - 3600), "token_type": "Bearer"}
    fault = {"status": 200, "json": body} | ({"headers": {"Date": date}} if date else {})
    world.fake.fault(fault, target="app-service", times=ALWAYS)
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **(imds | world.fake.app_service))
    assert process.code == 6
    assert re.search(rf"access token expired 36\d\d s ago by this node's clock; {says}", process.find("exit")[-1]["msg"]), process.text


def test_app_service_wrong_header(world, imds):
    env = imds | world.fake.app_service | {"IDENTITY_HEADER": "wrong"}
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **env)
    assert process.code == 4
    assert "status 401; IDENTITY_HEADER is not what the platform injected" in says(process)


def test_app_service_unknown_identity(world, imds):
    world.fake.update_identity(managed="")
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **(imds | world.fake.app_service))
    assert process.code == 4 and "assign the identity" in says(process)


# Identity binding


@pytest.fixture
def binding(world):
    world.plant("s")
    world.fake.update_identity(federations=[])
    world.fake.write_assertion("good", audience="api://AKSIdentityBinding")
    return dict(world.fake.binding)


def test_identity_binding(world, binding):
    """The same form goes to the proxy in the cluster, under its own name and CA; Entra is not asked."""
    assert world.init("s", **binding).code == 0
    assert only_login(world, "binding")["credential"] == "assertion"
    assert not world.fake.journal(target="login")


def test_identity_binding_never_through_a_proxy(world, binding):
    """The proxy that is set does not exist, and the binding's name is not excluded from it."""
    assert world.init("s", HTTPS_PROXY="http://127.0.0.1:1", NO_PROXY=".vault.localhost", **binding).code == 0
    assert only_login(world, "binding")


def test_identity_binding_with_ca_data(world, binding):
    with open(binding.pop("AZURE_KUBERNETES_CA_FILE"), encoding="ascii") as ca:
        binding["AZURE_KUBERNETES_CA_DATA"] = ca.read()
    assert world.init("s", **binding).code == 0


def test_identity_binding_trusts_its_own_ca_only(world, binding):
    binding["AZURE_KUBERNETES_CA_FILE"] = str(world.fake.ca)
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **binding)
    assert process.code == 6
    assert "TLS with 'token-proxy.binding.localhost" in says(process)
    assert "the identity binding's token proxy" in says(process)
    assert not world.fake.journal(target="binding")


def test_identity_binding_wrong_name(world, binding):
    binding["AZURE_KUBERNETES_SNI_NAME"] = "another.binding.localhost"
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **binding)
    assert process.code == 6 and "no alternative certificate subject name matches" in says(process)


@pytest.mark.parametrize("ca", ["", "nonsense"])
def test_identity_binding_without_a_ca(world, binding, ca):
    path = world.folder / "ca.crt"
    path.write_text(ca)
    binding["AZURE_KUBERNETES_CA_FILE"] = str(path)
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **binding)
    assert process.code == 4 and "AZURE_KUBERNETES_CA_FILE" in says(process)
    assert not world.fake.journal(target="binding")


@pytest.mark.parametrize(
    ("kind", "claims", "code"),
    [("good", {}, 700212), ("expired", {"audience": "api://AKSIdentityBinding"}, 700024)],
    ids=["ordinary-audience", "expired"],
)
def test_identity_binding_refused(world, binding, kind, claims, code):
    world.fake.write_assertion(kind, **claims)
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF, **binding)
    assert process.code == 4 and f"AADSTS{code}" in says(process)


def test_binding_assertion_sent_to_entra_by_mistake(world, binding):
    """Without the proxy's variable Entra refuses it, and the hint says why."""
    world.fake.update_identity(federations=[{}])
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF)
    assert process.code == 4
    assert "AADSTS700212" in says(process) and "AZURE_KUBERNETES_TOKEN_PROXY" in says(process)


# What all share


def test_white_space_around_what_comes_from_a_secret_is_cut(world, secret):
    """A Secret that was made from a file ends in a newline; in a file of ours it is cut, too."""
    fake = world.fake
    with ConnectProxy(fake.port) as proxy:
        process = world.init(
            "s", AZURE_CLIENT_SECRET=SECRET + "\n", AZURE_CLIENT_ID=fake.client_id + "\r\n", AZURE_TENANT_ID=f" {fake.tenant_id}\n",
            AZURE_AUTHORITY_HOST=fake.authority + "\n", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}\n", NO_PROXY=" login.localhost\r\n",
            AKVSYNC_VAULT=fake.url("shop-kv") + "\n", AZURE_FEDERATED_TOKEN_FILE=" \n",
        )
        assert process.code == 0, process.text
        assert only_login(world)["credential"] == "secret"
        assert {head["target"].partition(":")[0] for head in proxy.heads()} == {"shop-kv.vault.localhost"}


@pytest.mark.parametrize("tenant", ["common", "organizations"])
def test_a_challenge_for_any_tenant_is_no_other_tenant(world, tenant):
    value = world.plant("s")
    world.fake.fault(
        {"status": 401, "www_authenticate": 'Bearer authorization="{authority}/' + tenant + '", resource="{resource}"'},
        target="vault", authenticated=False, times=ALWAYS,
    )
    assert world.init("s").code == 0
    assert world.files() == {"s": value}


def test_a_port_is_no_part_of_the_audience(world):
    world.plant("s")
    with Proxy(world.fake.port) as proxy:
        assert world.init("s", AKVSYNC_VAULT=world.fake.url("shop-kv", proxy.port)).code == 0
    assert {entry["scope"] for entry in (e["login"] for e in logins(world, target="login"))} == {"https://vault.localhost/.default"}


def test_a_clock_that_is_off_is_named(world):
    world.plant("s")
    world.fake.write_assertion("expired")
    world.fake.fault({"aadsts": 700024, "headers": {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}}, target="login", times=ALWAYS)
    process = world.init("s", AKVSYNC_INIT_TIMEOUT=BRIEF)
    assert "this node's clock is" in says(process) and "s ahead of that of Azure" in says(process)


def test_a_token_in_mid_life_is_renewed_beside_the_poll(world):
    """It serves meanwhile: a refusal of the renewal disturbs nobody."""
    world.plant("s")
    world.fake.token_policy(refresh_in=1)
    sidecar = world.sidecar("s")
    world.fake.fault({"status": 503}, target="login", times=ALWAYS)
    for expected in (2, 2):
        time.sleep(1.1)  # the time that Entra named, in whole seconds
        since = sidecar.mark()
        sidecar.poll()
        sidecar.wait_log("unchanged", since=since)
        assert len(world.fake.journal(target="login")) <= expected
    assert not sidecar.find("failure")

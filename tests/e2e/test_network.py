"""How the vault is reached: answers that pass, throttling, clouds, CAs, and where tokens go."""

import os
import time

import pytest
from test_connections import plant, poll

from fakevault.client import ConnectProxy

ALWAYS = -1


def says(process):
    return process.find("exit")[-1]["msg"] if process.find("exit") else process.text


# Throttling


def test_after_429_everybody_slows_down(world):
    """One object's refusal stops the others, too; then they come back one by one."""
    names = [f"s{i:02}" for i in range(10)]
    objects = plant(world, names)
    world.fake.fault({"status": 429, "retry_after_s": 2}, target="vault", times=3, after=1, authenticated=True)
    process = world.init(objects)
    assert process.code == 0
    entries = world.fake.journal(target="vault", authenticated=True)
    throttled = [e["monotonic"] for e in entries if e["status"] == 429]
    later = sorted(e["monotonic"] for e in entries if e["monotonic"] > throttled[-1] + 0.5)
    assert later[0] - throttled[-1] >= 1.95
    assert len(entries) == 13, "each object is asked for once more at most"


def test_a_vault_with_a_limit_is_synced_within_it(world):
    """60 objects, 20 requests a second: no error, and few requests for nothing."""
    names = [f"s{i:02}" for i in range(60)]
    objects = plant(world, names)
    world.fake.vault_settings(limit=20, limit_window_s=1)
    process = world.init(objects)
    assert process.code == 0
    entries = world.fake.journal(target="vault")
    refused = [e for e in entries if e["status"] == 429]
    assert 0 < len(refused) <= 30


def test_429_from_the_first_request_on_names_the_vault_and_the_fix(world):
    """The anonymous one, by which the conversation begins, as well."""
    world.plant("a")
    world.fake.fault({"status": 429, "retry_after_s": 1}, target="vault", times=-1)
    process = world.init("a", AKVSYNC_INIT_TIMEOUT="3s")
    told = process.find("exit")[-1]["msg"]
    assert process.code == 6 and "too many requests to vault 'shop-kv'" in told and "lengthen AKVSYNC_POLL_INTERVAL" in told


@pytest.mark.parametrize("target", ["vault", "anonymous", "login"])
@pytest.mark.parametrize("status", [204, 301, 408, 409, 410, 421, 423, 425, 429, 499, 503])
def test_an_answer_that_passes_is_tried_again(world, target, status):
    """Within the round, whoever gives it, and no sooner than it asks for."""
    s = world.plant("s")
    match = {"target": "login"} if target == "login" else {"target": "vault", "authenticated": target == "vault"}
    world.fake.fault({"status": status, "empty": True, "retry_after_s": 1}, times=1, **match)
    process = world.init("s", AKVSYNC_INIT_TIMEOUT="20s")
    assert process.code == 0, process.text
    assert world.files() == {"s": s} and not process.find("failure")
    entries = world.fake.journal(target=match["target"])
    hit = next(e for e in entries if e["fault"])
    later = [e["monotonic"] for e in entries if e["monotonic"] > hit["monotonic"] and e["authenticated"] == hit["authenticated"]]
    if target != "anonymous":
        assert later and later[0] - hit["monotonic"] >= 0.95
    else:
        first = world.fake.journal(target="vault", authenticated=True)[0]
        assert first["monotonic"] - hit["monotonic"] >= 0.95, "the vault is left alone by all requests"


@pytest.mark.parametrize("header, value", [("Retry-After", "9" * 30), ("x-ms-retry-after-ms", "9" * 30)])
def test_a_delay_without_end_is_bounded(world, header, value):
    """As one that is a date in the far future: the round ends, and the vault is left alone for five minutes."""
    world.plant("s")
    world.fake.fault({"status": 503, "headers": {header: value}}, target="vault", times=1, authenticated=True)
    sidecar = world.sidecar("s", wait=False)
    assert 300_000 <= sidecar.wait_log("retry", "secret 's': 503")["in_ms"] <= 310_000
    sidecar.wait_log("failure", "secret 's': 503")
    assert len(world.fake.journal(target="vault", authenticated=True)) == 1


def test_an_object_near_its_end_is_polled_sooner(world):
    world.fake.set("s", "short-lived", exp=int(time.time()) + 8)
    world.sidecar("s", AKVSYNC_POLL_INTERVAL="24s")
    # The first poll comes after 12 to 36 s; near the end of an object, after 12 s, 20 % more or less.
    entries = world.fake.wait_journal(2, target="vault", authenticated=True, timeout=20)
    assert 9.5 <= entries[1]["monotonic"] - entries[0]["monotonic"] <= 17


def test_a_pinned_version_is_fetched_once(world):
    world.plant("s")
    version = world.fake.secret("s")["versions"][0]["id"]
    sidecar = world.sidecar(f"[{{objectName: s, objectVersion: {version}}}]")
    poll(sidecar)
    assert len(world.fake.journal(target="vault", authenticated=True)) == 1


# Clouds


CLOUDS = {
    "public": ("vault.azure.net", "login.microsoftonline.com"),
    "usgov": ("vault.usgovcloudapi.net", "login.microsoftonline.us"),
    "china": ("vault.azure.cn", "login.partner.microsoftonline.cn"),
}


def sync_through_proxy(world, **env):
    """The hosts that were asked, and the scope."""
    with ConnectProxy(world.fake.port) as proxy:
        process = world.init("s", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}", **env)
        assert process.code == 0, process.text
        hosts = {head["target"].removesuffix(":443") for head in proxy.heads()}
    return hosts, world.fake.journal(target="login")[0]["login"]["scope"]


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("named_by", ["cloud", "authority", "vault"])
def test_clouds(world, cloud, named_by):
    suffix, authority = CLOUDS[cloud]
    world.plant("s")
    env = {
        "cloud": {"AKVSYNC_CLOUD": cloud, "AKVSYNC_VAULT": "shop-kv", "AZURE_AUTHORITY_HOST": ""},
        "authority": {"AKVSYNC_VAULT": "shop-kv", "AZURE_AUTHORITY_HOST": f"https://{authority}/"},
        "vault": {"AKVSYNC_VAULT": f"https://shop-kv.{suffix}/", "AZURE_AUTHORITY_HOST": ""},
    }[named_by]
    hosts, scope = sync_through_proxy(world, **env)
    assert hosts == {f"shop-kv.{suffix}", authority}
    assert scope == f"https://{suffix}/.default"


def test_another_cloud_by_its_urls(world):
    world.plant("s")
    hosts, scope = sync_through_proxy(
        world, AKVSYNC_VAULT="https://shop-kv.vault.sovcloud-api.fr", AZURE_AUTHORITY_HOST="https://login.sovcloud-identity.fr"
    )
    assert hosts == {"shop-kv.vault.sovcloud-api.fr", "login.sovcloud-identity.fr"}
    assert scope == "https://vault.sovcloud-api.fr/.default"


# Trust


@pytest.mark.parametrize("voucher", ["AKVSYNC_EXTRA_CA_FILE", "SSL_CERT_FILE"])
def test_extra_ca_is_added_to_the_system_s(world, voucher):
    """Both count: the vault's CA is in one of the two files only."""
    world.plant("s")
    system = "/etc/ssl/certs/ca-certificates.crt"
    env = {"SSL_CERT_FILE": system, "AKVSYNC_EXTRA_CA_FILE": system, voucher: str(world.fake.ca)}
    assert world.init("s", AKVSYNC_INIT_TIMEOUT="10s", AKVSYNC_REQUEST_TIMEOUT="10s", **env).code == 0


@pytest.mark.parametrize("variable", ["AKVSYNC_EXTRA_CA_FILE", "SSL_CERT_FILE"])
def test_an_intermediate_is_enough_to_trust(world, variable):
    """A company may give only the certificate that issued the server's; the root is not there."""
    s = world.plant("s")
    env = {"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt", variable: str(world.fake.intermediate)}
    process = world.init("s", AKVSYNC_INIT_TIMEOUT="5s", AKVSYNC_REQUEST_TIMEOUT="5s", **env)
    assert process.code == 0, process.text
    assert world.files() == {"s": s}


@pytest.mark.parametrize("variable", ["AKVSYNC_EXTRA_CA_FILE", "SSL_CERT_FILE"])
def test_ca_file_is_read_anew_when_it_changes(world, variable):
    """A broken one changes nothing; a good one is used at once."""
    world.plant("s")
    system = open("/etc/ssl/certs/ca-certificates.crt", encoding="ascii").read()
    path = world.folder / "extra.pem"
    path.write_text(system[: system.index("-----END") + 26])
    env = {"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt", variable: str(path)}
    sidecar = world.sidecar("s", wait=False, **env)
    sidecar.wait_log("failure", "TLS with .*local issuer.*AKVSYNC_EXTRA_CA_FILE")
    since = sidecar.mark()
    path.write_text("nonsense")
    sidecar.wait_log("trust", "cannot read trusted certificates.*stay in use", since)
    fresh = world.folder / "fresh.pem"
    fresh.write_text(world.fake.ca.read_text())
    os.rename(fresh, path)
    sidecar.wait_log("trust", "read the trusted certificates anew", since)
    sidecar.wait_log("ready")


def test_what_old_certificates_vouched_for_is_forgotten(world):
    """Open connections and TLS sessions, also when a token was being renewed meanwhile."""
    world.plant("s")
    path = world.folder / "extra.pem"
    path.write_text(world.fake.ca.read_text())
    world.fake.token_policy(refresh_in=1)
    sidecar = world.sidecar("s", AKVSYNC_POLL_INTERVAL="60s", AKVSYNC_EXTRA_CA_FILE=str(path))
    world.fake.fault({"delay_ms": 2000}, target="login", times=1)
    time.sleep(1.1)  # the token's time to be renewed
    poll(sidecar)
    since = sidecar.mark()
    path.write_text(world.fake.ca.read_text() + "\n")
    sidecar.wait_log("trust", "read the trusted certificates anew", since)
    world.fake.wait_journal(2, target="login")
    world.fake.wait_connections(open=0)
    mark = world.fake.mark()
    poll(sidecar)
    assert not world.fake.journal(since=mark, target="vault")[0]["tls_resumed"]


def test_tls_keys_are_not_logged(world):
    """libcurl would write them to a file that a variable names; then whoever sees the traffic reads it."""
    world.plant("s")
    keys = world.folder / "keys"
    assert world.init("s", SSLKEYLOGFILE=str(keys)).code == 0
    assert not keys.exists()


# Where the token goes


def test_unverified_challenge_is_possible_and_warned_of(world):
    """For test vaults whose challenge does not fit their name."""
    world.plant("s")
    challenge = {"status": 401, "www_authenticate": 'Bearer authorization="{authority}/{tenant}", '
                 'resource="https://vault.azure.net"'}
    world.fake.fault(challenge, target="vault", times=1)
    process = world.init("s", AKVSYNC_VERIFY_CHALLENGE="false")
    assert process.code == 0, "the vault's own challenge comes next"
    assert process.find("advice", "AKVSYNC_VERIFY_CHALLENGE=false")
    assert "https://vault.azure.net/.default" in [e["login"]["scope"] for e in world.fake.journal(target="login")]


@pytest.mark.parametrize("location", ["https://other-kv.vault.localhost", "http://shop-kv.vault.localhost"])
def test_redirects_get_no_token(world, location):
    world.fake.vault_settings("other-kv")
    world.plant("s")
    world.fake.fault(
        {"status": 307, "location": f"{location}:{world.fake.port}/secrets/s?api-version=7.4"},
        target="vault", vault="shop-kv", times=ALWAYS, authenticated=True,
    )
    process = world.init("s", AKVSYNC_INIT_TIMEOUT="3s")
    assert process.code != 0 and "redirects are not followed" in says(process)
    assert not world.fake.journal(vault="other-kv")


def test_entra_s_redirect_gets_no_assertion(world):
    world.plant("s")
    world.fake.fault(
        {"status": 307, "location": f"https://other-kv.vault.localhost:{world.fake.port}/stolen"},
        target="login", times=ALWAYS,
    )
    process = world.init("s", AKVSYNC_INIT_TIMEOUT="3s")
    assert process.code == 6 and "redirects are not followed" in says(process)
    assert not world.fake.journal(path="*stolen*")


def test_challenge_of_another_authority_gets_no_assertion(world):
    """Only its resource is heeded; the authority stays the configured one."""
    s = world.plant("s")
    world.fake.fault(
        {"status": 401, "www_authenticate": 'Bearer authorization="https://other-kv.vault.localhost/{tenant}", '
         'resource="{resource}"'},
        target="vault", times=1,
    )
    assert world.init("s").code == 0
    assert world.files() == {"s": s}
    assert {e["target"] for e in world.fake.journal()} == {"login", "vault"}
    assert not world.fake.journal(vault="other-kv")


# Managed HSM


def test_managed_hsm_holds_keys(world):
    """Its tokens are of its own domain; a vault's would be refused."""
    world.fake.set_key("signing", {"kty": "EC", "crv": "P-256", "x": "3M83D8IV6qGbFQP8rVw8o8hm4n0UEwkdUMKA1ezQA0M",
                                   "y": "CqqxAzD6UUGyFgL5M4Vh0UP6Stx2hKs6C7WFKpT0Hlc"})
    hsm = f"https://shop-kv.managedhsm.localhost:{world.fake.port}"
    process = world.init("key/signing", AKVSYNC_VAULT=hsm)
    assert process.code == 0, process.text
    scope = world.fake.journal(target="login")[0]["login"]["scope"]
    assert scope == "https://managedhsm.localhost/.default"
    assert "BEGIN PUBLIC KEY" in "".join(world.files().values())


def test_managed_hsm_and_vault_side_by_side(world):
    """Two resources, so two tokens, each sent to its own host only."""
    world.fake.set_key("signing", {"kty": "EC", "crv": "P-256", "x": "3M83D8IV6qGbFQP8rVw8o8hm4n0UEwkdUMKA1ezQA0M",
                                   "y": "CqqxAzD6UUGyFgL5M4Vh0UP6Stx2hKs6C7WFKpT0Hlc"})
    world.plant("s")
    hsm = f"https://shop-kv.managedhsm.localhost:{world.fake.port}"
    process = world.init(f"[{{objectName: s}}, {{objectName: signing, objectType: key, vault: '{hsm}'}}]")
    assert process.code == 0, process.text
    assert len(world.fake.journal(target="login", status=200)) == 2
    assert {e["bearer"] for e in world.fake.journal(target="vault")} == {"none", "ok"}


def test_managed_hsm_holds_no_secrets(world):
    hsm = f"https://shop-kv.managedhsm.localhost:{world.fake.port}"
    process = world.init("s", AKVSYNC_VAULT=hsm)
    assert process.code == 3
    assert "is a Managed HSM, which holds keys only; write key/NAME" in says(process)
    assert not world.fake.journal()

"""Microsoft's Python SDK does to the fake what it does to Key Vault, unmodified. Run by a Python of its own;
test_real_names.py gives the environment, and the way to the fake through a proxy, which takes Azure's own names there.
"""

import base64
import datetime
import os
from pathlib import Path

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import (
    CertificateCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.keyvault.certificates import (
    CertificateClient,
    CertificateContentType,
    CertificatePolicy,
    KeyType as CertificateKeyType,
    WellKnownIssuerNames,
)
from azure.keyvault.keys import JsonWebKey, KeyClient, KeyRotationLifetimeAction, KeyRotationPolicy, KeyRotationPolicyAction
from azure.keyvault.secrets import SecretClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

FOLDER = Path(os.environ["FOLDER"])
VAULT = "https://shop-kv.vault.azure.net"
TENANT_ID, CLIENT_ID = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"]
FAST = {"_polling_interval": 0.05}


def refused(kind, text, action, *arguments, **named):
    try:
        action(*arguments, **named)
    except kind as error:
        assert text in str(error), error
        return error
    raise AssertionError(f"{action} {arguments} is not refused")


def names(pages):
    return sorted(one.name for one in pages)


def done(poller):
    poller.wait()
    return poller.result()


def reads(credential):
    # Nothing but what was made before the tests.
    assert SecretClient(VAULT, credential, retry_total=0).get_secret("planted").value == "value"


def signs_in():
    reads(WorkloadIdentityCredential())
    reads(ClientSecretCredential(TENANT_ID, CLIENT_ID, "right"))
    certificate = CertificateCredential(TENANT_ID, CLIENT_ID, str(FOLDER / "good.pem"))
    reads(certificate)
    # The client keeps an assertion that it has signed, and sends it again for another scope.
    for host in ("management.azure.com", "vault.azure.net"):
        assert certificate.get_token(f"https://{host}/.default").token
    reads(CertificateCredential(TENANT_ID, CLIENT_ID, str(FOLDER / "rooted.pem"), send_certificate_chain=True))
    for text, credential in {
        "AADSTS7000215": ClientSecretCredential(TENANT_ID, CLIENT_ID, "wrong"),
        "AADSTS700027": CertificateCredential(TENANT_ID, CLIENT_ID, str(FOLDER / "other.pem")),
        "Unable to get authority configuration": ClientSecretCredential(CLIENT_ID, CLIENT_ID, "right"),
    }.items():
        refused(ClientAuthenticationError, text, credential.get_token, "https://vault.azure.net/.default")
    refused(
        ClientAuthenticationError,
        "AADSTS500011",
        ClientSecretCredential(TENANT_ID, CLIENT_ID, "right").get_token,
        "https://vault.azure.net:443/.default",
    )
    token_file = os.environ.pop("AZURE_FEDERATED_TOKEN_FILE")  # else it would mean workload identity
    first = ManagedIdentityCredential(client_id=CLIENT_ID)
    reads(first)
    again = ManagedIdentityCredential(client_id=CLIENT_ID)
    assert first.get_token("https://vault.azure.net/.default").token == again.get_token("https://vault.azure.net/.default").token
    os.environ["AZURE_FEDERATED_TOKEN_FILE"] = token_file


def secrets():
    client = SecretClient(VAULT, WorkloadIdentityCredential())
    made = client.set_secret("db", "p+<>&'ü😀", content_type="text/plain", tags={"team": "shop"})
    assert client.get_secret("db").value == "p+<>&'ü😀"
    assert made.properties.recovery_level == "Recoverable+Purgeable" and made.properties.recoverable_days == 90
    client.set_secret("db", "off", enabled=False)
    error = refused(HttpResponseError, "SecretDisabled", client.get_secret, "db")
    assert error.status_code == 403 and error.error.code == "Forbidden"
    assert client.get_secret("db", made.properties.version).value == made.value
    assert len(list(client.list_properties_of_secret_versions("db"))) == 2
    client.update_secret_properties("db", enabled=True)
    for number in range(30):
        client.set_secret(f"many-{number:02}", "x")
    assert len([one for one in client.list_properties_of_secrets() if one.name.startswith("many-")]) == 30
    pages = list(client.list_properties_of_secrets(max_page_size=7).by_page())
    assert len(list(pages[0])) == 7
    refused(HttpResponseError, "BadParameter", lambda: list(client.list_properties_of_secrets(max_page_size=26)))
    backup = client.backup_secret("db")
    refused(ResourceExistsError, "Conflict", client.restore_secret_backup, backup)
    deleted = done(client.begin_delete_secret("db", **FAST))
    assert deleted.recovery_id.endswith("/deletedsecrets/db") and deleted.scheduled_purge_date > deleted.deleted_date
    refused(ResourceExistsError, "ObjectIsDeletedButRecoverable", client.set_secret, "db", "x")
    done(client.begin_recover_deleted_secret("db", **FAST))
    done(client.begin_delete_secret("db", **FAST))
    assert names(client.list_deleted_secrets()) == ["db"]
    client.purge_deleted_secret("db")
    refused(ResourceNotFoundError, "Deleted Secret not found: db", client.get_deleted_secret, "db")
    client.restore_secret_backup(backup)
    assert client.get_secret("db").value == "off"
    old = SecretClient(VAULT, WorkloadIdentityCredential(), api_version="2016-10-01")
    assert old.get_secret("db").value == "off"


def keys():
    client = KeyClient(VAULT, WorkloadIdentityCredential())
    made = client.create_ec_key("ec", curve="P-256K", enabled=False, tags={"a": "b"})
    assert made.properties.enabled is False and made.properties.exportable is False
    assert made.properties.hsm_platform == "0" and client.get_key("ec").key.crv == "P-256K"
    assert client.create_rsa_key("hsm", size=2048, hardware_protected=True).properties.hsm_platform == "2"
    numbers = rsa.generate_private_key(65537, 2048).private_numbers()

    def raw(number):
        return number.to_bytes((number.bit_length() + 7) // 8, "big")

    public = {"n": raw(numbers.public_numbers.n), "e": raw(numbers.public_numbers.e)}
    private = {"d": raw(numbers.d), "p": raw(numbers.p), "q": raw(numbers.q)}
    private |= {"dp": raw(numbers.dmp1), "dq": raw(numbers.dmq1), "qi": raw(numbers.iqmp)}
    jwk = {"kty": "RSA", "key_ops": ["sign", "verify"], **public}
    refused(HttpResponseError, "BadParameter", client.import_key, "in", JsonWebKey(**jwk))
    got = client.import_key("in", JsonWebKey(**jwk, **private), enabled=False)
    assert got.key.n == public["n"] and got.key.d is None and got.properties.enabled is False
    client.update_key_properties("in", enabled=True, key_operations=["verify"])
    assert client.get_key("in").key_operations == ["verify"]
    policy = KeyRotationPolicy(
        expires_in="P90D",
        lifetime_actions=[KeyRotationLifetimeAction(KeyRotationPolicyAction.rotate, time_after_create="P30D")],
    )
    assert client.update_key_rotation_policy("in", policy).expires_in == "P90D"
    assert len(client.get_key_rotation_policy("in").lifetime_actions) == 2, "one is the notice that every policy has"
    turned = client.rotate_key("in")
    assert turned.properties.version != got.properties.version and turned.properties.expires_on
    assert turned.key.n != got.key.n and len(list(client.list_properties_of_key_versions("in"))) == 2
    backup = client.backup_key("in")
    done(client.begin_delete_key("in", **FAST))
    assert names(client.list_deleted_keys()) == ["in"]
    refused(ResourceExistsError, "Conflict", client.create_key, "in", "EC")
    done(client.begin_recover_deleted_key("in", **FAST))
    done(client.begin_delete_key("in", **FAST))
    client.purge_deleted_key("in")
    assert client.restore_key_backup(backup).properties.version == turned.properties.version
    refused(HttpResponseError, "kty", client.create_key, "x", "oct")
    assert names(client.list_properties_of_keys()) == ["ec", "hsm", "in"]


def _merged(request):
    """What another issuer makes of a request: a certificate and its own, in this order."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer")])
    now = datetime.datetime.now(datetime.timezone.utc)
    chain = []
    for subject, public in ((request.subject, request.public_key()), (name, key.public_key())):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(name).public_key(public)
        builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
        chain.append(builder.serial_number(x509.random_serial_number()).sign(key, hashes.SHA256()))
    return [one.public_bytes(serialization.Encoding.DER) for one in chain]


def certificates():
    client = CertificateClient(VAULT, WorkloadIdentityCredential())
    held = SecretClient(VAULT, WorkloadIdentityCredential())
    policy = CertificatePolicy(issuer_name="Self", subject="CN=web.example.test, O=Shop", exportable=True)
    made = client.begin_create_certificate("web", policy, **FAST).result()
    assert made.policy.key_type == CertificateKeyType.rsa and made.policy.key_size == 2048
    assert made.policy.content_type == CertificateContentType.pkcs12 and made.properties.enabled
    assert x509.load_der_x509_certificate(bytes(made.cer)).subject.rfc4514_string() == "CN=web.example.test,O=Shop"
    secret = held.get_secret("web")
    assert (secret.properties.content_type, secret.properties.managed) == ("application/x-pkcs12", True)
    assert secret.properties.key_id == made.key_id
    error = refused(HttpResponseError, "associated with a certificate", held.begin_delete_secret, "web")
    assert error.status_code == 403 and "SecretManagedByKeyVault" in str(error.error.innererror or error)
    client.begin_create_certificate("off", policy, enabled=False, **FAST).wait()
    refused(HttpResponseError, "SecretDisabled", held.get_secret, "off")
    client.update_certificate_properties("off", enabled=True, tags={"a": "b"})
    assert held.get_secret("off").value and client.get_certificate("off").properties.tags == {"a": "b"}
    changed = client.get_certificate_policy("off")
    changed._validity_in_months = 3  # it has no setter
    assert client.update_certificate_policy("off", changed).validity_in_months == 3
    locked = CertificatePolicy(
        issuer_name="Self", subject="CN=locked", exportable=False, key_type="RSA", content_type=CertificateContentType.pem
    )
    client.begin_create_certificate("locked", locked, **FAST).wait()
    assert "PRIVATE KEY" not in held.get_secret("locked").value

    outside = CertificatePolicy(issuer_name=WellKnownIssuerNames.unknown, subject="CN=outside", key_type="EC", key_curve_name="P-256")
    client.begin_create_certificate("outside", outside, **FAST)
    operation = client.get_certificate_operation("outside")
    assert operation.status == "inProgress" and "Merge" in operation.status_details
    assert names(client.list_properties_of_certificates()) == ["locked", "off", "web"]
    assert "outside" in names(client.list_properties_of_certificates(include_pending=True))
    refused(HttpResponseError, "SecretDisabled", held.get_secret, "outside")
    refused(HttpResponseError, "BadParameter", client.merge_certificate, "outside", [bytes(made.cer)])
    chain = _merged(x509.load_der_x509_csr(bytes(operation.csr)))
    assert bytes(client.merge_certificate("outside", chain).cer) == chain[0]
    key, _, _ = load_key_and_certificates(base64.b64decode(held.get_secret("outside").value), b"")
    assert key is not None and client.get_certificate_operation("outside").status == "completed"
    client.begin_create_certificate("outside", outside, **FAST)
    assert client.cancel_certificate_operation("outside").cancellation_requested is True
    client.delete_certificate_operation("outside")
    refused(ResourceNotFoundError, "Pending certificate not found: outside", client.get_certificate_operation, "outside")

    pem = CertificatePolicy(issuer_name="Unknown", content_type=CertificateContentType.pem)
    text = (FOLDER / "rooted.pem").read_bytes()
    other = CertificatePolicy(issuer_name="Unknown", content_type=CertificateContentType.pkcs12)
    refused(HttpResponseError, "PKCS#12", client.import_certificate, "pem", text, policy=other)
    client.import_certificate("pem", text, policy=pem, enabled=False)
    refused(HttpResponseError, "SecretDisabled", held.get_secret, "pem")
    client.update_certificate_properties("pem", enabled=True)
    assert held.get_secret("pem").value == text.decode()
    assert client.get_certificate("pem").policy.issuer_name == "Unknown"
    pfx = (FOLDER / "good.pfx").read_bytes()
    refused(HttpResponseError, "PKCS#12", client.import_certificate, "pfx", pfx, password="wrong")
    got = client.import_certificate("pfx", pfx, password="word")
    key, leaf, _ = load_key_and_certificates(base64.b64decode(held.get_secret("pfx").value), b"")
    assert leaf.public_bytes(serialization.Encoding.DER) == bytes(got.cer) and key.public_key() == leaf.public_key()

    backup = client.backup_certificate("pfx")
    gone = done(client.begin_delete_certificate("pfx", **FAST))
    assert gone.recovery_id.endswith("/deletedcertificates/pfx") and gone.policy.issuer_name == "Unknown"
    assert names(client.list_deleted_certificates()) == ["pfx"]
    assert [one.name for one in held.list_deleted_secrets()] == ["pfx"]
    refused(ResourceExistsError, "Conflict", client.import_certificate, "pfx", pfx, password="word")
    done(client.begin_recover_deleted_certificate("pfx", **FAST))
    assert held.get_secret("pfx").value
    done(client.begin_delete_certificate("pfx", **FAST))
    client.purge_deleted_certificate("pfx")
    refused(ResourceNotFoundError, "SecretNotFound", held.get_secret, "pfx")
    assert client.restore_certificate_backup(backup).properties.version == got.properties.version


for part in (signs_in, secrets, keys, certificates):
    part()
    print(f"# pass {part.__name__}", flush=True)

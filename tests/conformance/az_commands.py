"""Azure's command line does to the fake what it does to Key Vault. Run by its own Python; test_real_names.py gives the
environment. One process runs all commands, each through the entry that the program `az` itself uses.
"""

import io
import json
import logging
import os
import pathlib
import subprocess
import time

from azure.cli.core import get_default_cli

FOLDER, CLIENT_ID, TENANT_ID = (os.environ[name] for name in ("FOLDER", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"))
VAULT = ["--vault-name", "shop-kv"]


def az(*words):
    """What a command prints, read as JSON; RuntimeError with its message when it fails."""
    out, said = io.StringIO(), io.StringIO()
    listener = logging.StreamHandler(said)
    logging.getLogger("cli").addHandler(listener)
    cli = get_default_cli()
    try:
        code = cli.invoke([*words, "--output", "json", "--only-show-errors"], out_file=out)
    except SystemExit as end:
        code = end.code
    finally:
        logging.getLogger("cli").removeHandler(listener)
    if code:
        raise RuntimeError(f"az {' '.join(words)}: {code} {cli.result and cli.result.error} {said.getvalue()}")
    return json.loads(out.getvalue() or "null")


def refused(text, *words):
    try:
        az(*words)
    except RuntimeError as error:
        assert text in str(error), error
    else:
        raise AssertionError(f"az {' '.join(words)} is not refused")


def names(*words):
    return sorted(one["name"] for one in az(*words))


def soon(wanted, *words):
    """A deletion or recovery is seen a while after it was answered: waits until a command lists these names."""
    end = time.monotonic() + 20
    while (found := names(*words)) != wanted:
        assert time.monotonic() < end, f"az {' '.join(words)}: {found}, not {wanted}"
        time.sleep(0.05)


def deletes(kind, name, then="recover"):
    az("keyvault", kind, "delete", *VAULT, "-n", name)
    soon([name], "keyvault", kind, "list-deleted", *VAULT)
    refused("NotFound", "keyvault", kind, "show", *VAULT, "-n", name)
    az("keyvault", kind, then, *VAULT, "-n", name)
    assert names("keyvault", kind, "list-deleted", *VAULT) == []


def secrets():
    made = az("keyvault", "secret", "set", *VAULT, "-n", "db", "--value", "p+<>&'ü😀", "--tags", "team=shop")
    assert made["value"] == "p+<>&'ü😀" and made["attributes"]["recoveryLevel"] == "Recoverable+Purgeable", made
    assert az("keyvault", "secret", "show", *VAULT, "-n", "db") == made
    az("keyvault", "secret", "set", *VAULT, "-n", "db", "--value", "second")
    versions = az("keyvault", "secret", "list-versions", *VAULT, "-n", "db")
    assert len(versions) == 2 and made["id"] in [one["id"] for one in versions], versions
    off = az("keyvault", "secret", "set-attributes", *VAULT, "-n", "db", "--enabled", "false")
    assert off["attributes"]["enabled"] is False and off["value"] is None, off
    refused("SecretDisabled", "keyvault", "secret", "show", *VAULT, "-n", "db")
    refused("SecretNotFound", "keyvault", "secret", "show", *VAULT, "-n", "none")
    deletes("secret", "db")
    backup = f"{FOLDER}/db.backup"
    az("keyvault", "secret", "backup", *VAULT, "-n", "db", "--file", backup)
    deletes("secret", "db", "purge")
    az("keyvault", "secret", "restore", *VAULT, "--file", backup)
    assert names("keyvault", "secret", "list", *VAULT) == ["db", "planted"]


def keys():
    made = az("keyvault", "key", "create", *VAULT, "-n", "sign", "--kty", "EC", "--curve", "P-384", "--ops", "sign", "verify")
    assert made["key"]["kty"] == "EC" and made["attributes"]["hsmPlatform"] == "0", made
    az("keyvault", "key", "rotate", *VAULT, "-n", "sign")
    assert len(az("keyvault", "key", "list-versions", *VAULT, "-n", "sign")) == 2
    assert az("keyvault", "key", "set-attributes", *VAULT, "-n", "sign", "--enabled", "false")["attributes"]["enabled"] is False
    policy = {"lifetimeActions": [{"trigger": {"timeAfterCreate": "P90D"}, "action": {"type": "Rotate"}}]}
    set_policy = ["keyvault", "key", "rotation-policy", "update", *VAULT, "-n", "sign", "--value", json.dumps(policy)]
    assert az(*set_policy)["lifetimeActions"][0]["timeAfterCreate"] == "P90D"
    private = f"{FOLDER}/import.pem"
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, capture_output=True)
    assert az("keyvault", "key", "import", *VAULT, "-n", "in", "--pem-file", private)["key"]["kty"] == "RSA"
    public = f"{FOLDER}/public.pem"
    az("keyvault", "key", "download", *VAULT, "-n", "in", "--encoding", "PEM", "--file", public)
    of_ours = subprocess.run(["openssl", "rsa", "-in", private, "-pubout"], check=True, capture_output=True).stdout
    assert pathlib.Path(public).read_bytes() == of_ours
    deletes("key", "in")
    assert names("keyvault", "key", "list", *VAULT) == ["in", "sign"]


def certificates():
    policy = az("keyvault", "certificate", "get-default-policy")
    made = az("keyvault", "certificate", "create", *VAULT, "-n", "web", "--policy", json.dumps(policy))
    assert made["status"] == "completed", made
    shown = az("keyvault", "certificate", "show", *VAULT, "-n", "web")
    assert shown["policy"]["issuerParameters"]["name"] == "Self" and shown["cer"], shown
    assert az("keyvault", "certificate", "list-versions", *VAULT, "-n", "web")
    off = az("keyvault", "certificate", "set-attributes", *VAULT, "-n", "web", "--enabled", "false", "--tags", "a=b")
    assert off["attributes"]["enabled"] is False and off["tags"] == {"a": "b"}, off
    refused("SecretDisabled", "keyvault", "secret", "show", *VAULT, "-n", "web")
    refused("SecretManagedByKeyVault", "keyvault", "secret", "delete", *VAULT, "-n", "web")
    for name, more, kind in (("pem", [], "application/x-pem-file"), ("pfx", ["--password", "word"], "application/x-pkcs12")):
        got = az("keyvault", "certificate", "import", *VAULT, "-n", name, "--file", f"{FOLDER}/good.{name}", *more)
        assert got["policy"]["secretProperties"]["contentType"] == kind, got
        assert az("keyvault", "secret", "show", *VAULT, "-n", name)["contentType"] == kind
        az("keyvault", "certificate", "download", *VAULT, "-n", name, "--file", f"{FOLDER}/{name}.crt")
    assert pathlib.Path(f"{FOLDER}/pem.crt").read_bytes() == pathlib.Path(f"{FOLDER}/pfx.crt").read_bytes()
    deletes("certificate", "pem")
    deletes("certificate", "pfx", "purge")
    assert names("keyvault", "certificate", "list", *VAULT) == ["pem", "web"]


login = ["login", "--service-principal", "-u", CLIENT_ID, "--tenant", TENANT_ID, "--allow-no-subscriptions"]
refused("AADSTS7000215", *login, "-p", "wrong")
account = az(*login, "-p", "right")[0]
assert (account["tenantId"], account["user"]["name"]) == (TENANT_ID, CLIENT_ID), account
for part in (secrets, keys, certificates):
    part()
    print(f"# pass {part.__name__}", flush=True)

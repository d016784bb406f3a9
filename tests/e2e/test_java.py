"""Key stores and trust stores for Java: read by its own keytool, by a Java program, and by the openssl command."""

import json
import pathlib
import re
import shutil
import subprocess

import pki
import pytest
from conftest import wait_until
from test_formats import P12, PEM_TYPE, openssl_pfx, pem, pfx

JAVA = pytest.mark.skipif(not (shutil.which("javac") and shutil.which("keytool")), reason="there is no JDK (openjdk-17-jdk-headless)")
PROGRAM = pathlib.Path(__file__).with_name("Store.java")
KEYS = "[{objectName: web, objectAlias: web.p12, objectFormat: pkcs12, passwordObject: pass}]"


def certificate(world, make=None, kind=P12):
    chain, value = (make or pfx())()
    world.fake.set_certificate("web", value, pki.cer(chain.leaf), content_type=kind)
    return chain


def java(*arguments):
    run = subprocess.run(["java", PROGRAM, *arguments], capture_output=True, text=True, check=False)
    return run.stdout if run.returncode == 0 else run.stderr


def keytool(path, password):
    """The entries of a store: alias -> kind."""
    run = subprocess.run(
        ["keytool", "-J-Duser.language=en", "-list", "-keystore", path, "-storetype", "PKCS12", "-storepass:env", "PASSWORD"],
        env={"PASSWORD": password, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return dict(re.findall(r"^([^,\n]+), .*, (\w+Entry),", run.stdout, re.M))


def openssl_says(path, password):
    run = subprocess.run(
        ["openssl", "pkcs12", "-info", "-nodes", "-in", path, "-passin", "env:PASSWORD"],
        env={"PASSWORD": password, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr


def test_how_it_is_encrypted(world):
    certificate(world)
    password = world.plant("pass")
    assert world.init(KEYS).code == 0
    said = openssl_says(world.volume / "web.p12", password)
    assert "MAC: sha256, Iteration 10000" in said
    assert len(re.findall("PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256", said)) == 2
    assert "friendlyName: web" in said
    assert openssl_pfx(world.volume / "web.p12", "")[0] != 0
    assert openssl_pfx(world.volume / "web.p12", "changeit")[0] != 0


STORES = {
    # objects, how the vault has the certificate, what keytool says of the file
    "keys": (KEYS, pfx(), P12, {"web": "PrivateKeyEntry"}),
    "keys of PEM": (KEYS, pem(), PEM_TYPE, {"web": "PrivateKeyEntry"}),
    "RSA keys": (KEYS, pfx(key=pki.rsa_key), P12, {"web": "PrivateKeyEntry"}),
    "pfx": (KEYS.replace("pkcs12, passwordObject", "pfx, pfxPasswordObject"), pfx(), P12, {"web": "PrivateKeyEntry"}),
    "no key": (KEYS, pfx(with_key=False), P12, dict.fromkeys(["web", "web-2", "web-3"], "trustedCertEntry")),
    "trust": (KEYS.replace("pkcs12", "truststore"), pfx(), P12, dict.fromkeys(["web", "web-2", "web-3"], "trustedCertEntry")),
    "trust of the leaf": (
        "[{objectName: web, objectType: cert, objectAlias: web.p12, objectFormat: pkcs12, passwordObject: pass}]",
        pfx(), P12, {"web": "trustedCertEntry"},
    ),
    "trust of the leaf, by name": (
        "[{objectName: web, objectType: cert, objectAlias: web.p12, objectFormat: truststore, passwordObject: pass}]",
        pfx(), P12, {"web": "trustedCertEntry"},
    ),
}


@JAVA
@pytest.mark.parametrize("row", STORES)
def test_stores(world, row):
    objects, make, kind, entries = STORES[row]
    certificate(world, make, kind)
    password = world.plant("pass")
    process = world.init(objects)
    assert process.code == 0, process.text
    assert keytool(world.volume / "web.p12", password) == entries
    assert bool(process.find("no-private-key")) == (row == "no key")


@JAVA
def test_a_java_server_and_its_client(world):
    certificate(world)
    world.plant("pass")
    password = world.plant("pass")
    objects = json.loads(
        json.dumps(
            [
                {"objectName": "web", "objectAlias": "web.p12", "objectFormat": "pkcs12", "passwordObject": "pass"},
                {"objectName": "web", "objectAlias": "trust.p12", "objectFormat": "truststore"},
            ]
        )
    )
    assert world.init(json.dumps(objects)).code == 0
    keys, trust = world.volume / "web.p12", world.volume / "trust.p12"
    assert java("list", keys, password) == "web key EC 3\n"
    assert sorted(java("list", trust, "changeit").split("\n")) == ["", "web trusted", "web-2 trusted", "web-3 trusted"]
    assert java("serve", keys, password, trust, "changeit") == "connected y\n"
    assert "keystore password was incorrect" in java("list", keys, "planted-wrong-password")


@JAVA
def test_certificates_of_several_authorities(world):
    """A bundle in an ordinary secret, with or without a content type, and no key anywhere."""
    roots = [pki.certificate(f"root {i}", pki.ec_key(), ca=True) for i in range(3)]
    world.fake.set("cas", pki.cert_pem(*roots).decode())
    assert world.init("[{objectName: cas, objectAlias: cas.p12, objectFormat: truststore}]").code == 0
    assert keytool(world.volume / "cas.p12", "changeit") == dict.fromkeys(["cas", "cas-2", "cas-3"], "trustedCertEntry")


@JAVA
@pytest.mark.parametrize("password", ["".join(map(chr, range(0x20, 0x7F))), "x" * 200, "p"], ids=["all", "long", "short"])
def test_odd_passwords(world, password):
    certificate(world)
    world.fake.set("pass", password)
    assert world.init(KEYS).code == 0
    run = subprocess.run(["java", "-Dfile.encoding=UTF-8", "-Dsun.jnu.encoding=UTF-8", PROGRAM, "list", world.volume / "web.p12", password],
                         env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)
    assert run.stdout == "web key EC 3\n", run.stderr


@pytest.mark.parametrize("password", ["planted-wörd", "planted-line-end\n", "planted-\x7f"], ids=["umlaut", "line end", "delete"])
def test_passwords_that_java_cannot_use(world, password):
    """Java says of such a file that its password is wrong; other programs read it."""
    certificate(world)
    world.fake.set("pass", password)
    process = world.init(KEYS)
    assert process.code == 3 and process.find("exit", "a character that Java takes in no password of a PKCS#12"), process.text
    assert world.init(KEYS.replace("pkcs12", "pfx")).code == 0
    assert openssl_pfx(world.volume / "web.p12", password)[0] == 0 or password.endswith("\n")


def test_it_is_made_anew_when_either_changes(world):
    certificate(world)
    first = world.plant("pass")
    sidecar = world.sidecar(KEYS)
    path = world.volume / "web.p12"
    generation = world.generation()
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("unchanged", since=since)
    assert world.generation() == generation and openssl_pfx(path, first)[0] == 0
    second = world.plant("pass")
    sidecar.poll()
    assert wait_until(lambda: openssl_pfx(path, second)[0] == 0)


REFUSED = {
    "plain secret": ("[{objectName: s, objectFormat: pkcs12}]", "it is not a PKCS#12|base64"),
    "no certificate": ("[{objectName: pem, objectFormat: pkcs12}]", "no certificate"),
    "damaged": ("[{objectName: bad, objectFormat: truststore}]", "its PKCS#12|damaged|it is not"),
    "password missing": (KEYS, "404"),
}


@pytest.mark.parametrize("row", REFUSED)
def test_what_cannot_be_made(world, row):
    objects, says = REFUSED[row]
    certificate(world)
    world.fake.set("s", "planted-value-of-s")
    world.fake.set("pem", pki.key_pem(pki.ec_key()).decode())
    world.fake.set("bad", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    process = world.init(objects)
    assert process.code in (3, 5), process.text
    assert process.find("exit", says), process.text
    assert not world.files_bytes()

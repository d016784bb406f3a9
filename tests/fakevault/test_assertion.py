"""The projected token is swapped as kubelet swaps it."""

import os
import threading

import pytest

from . import assertion
from .jwts import SigningKey, parse


@pytest.fixture(scope="module")
def key():
    return SigningKey.make()


@pytest.mark.parametrize(
    "layout, path, link",
    [
        ("flat", "azure-identity-token", "azure-identity-token"),
        ("nested", "token/azure-identity-token", "token"),
    ],
)
def test_layout(tmp_path, layout, path, link):
    volume = assertion.TokenVolume.in_directory(tmp_path, layout)
    volume.write("one")
    mount = tmp_path / "wi"
    first = os.readlink(mount / "..data")
    assert volume.path == mount / path and volume.path.read_text() == "one"
    assert os.readlink(mount / link) == f"..data/{link}"
    inode = os.lstat(mount / link).st_ino
    volume.write("two")
    assert volume.path.read_text() == "two"
    assert os.readlink(mount / "..data") != first
    assert os.lstat(mount / link).st_ino == inode
    assert sorted(os.listdir(mount)) == sorted([os.readlink(mount / "..data"), "..data", link])
    assert assertion.TokenVolume.in_directory(tmp_path, None).layout == layout


def test_a_reader_never_sees_a_gap(tmp_path):
    volume = assertion.TokenVolume.in_directory(tmp_path, "nested")
    volume.write("token-0000")
    stop = threading.Event()
    bad = []

    def read():
        while not stop.is_set():
            # Like any reader, it may meet the old directory on its way out and then opens again.
            for _ in range(3):
                try:
                    text = volume.path.read_text()
                    break
                except FileNotFoundError:
                    text = ""
            if not text.startswith("token-") or len(text) != 10:
                bad.append(text)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 200):
        volume.write(f"token-{number:04d}")
    stop.set()
    reader.join()
    assert not bad


def test_claims_are_those_of_a_cluster(key):
    header, claims = parse(assertion.mint(key))
    assert header["alg"] == "RS256" and header["kid"] == key.kid
    assert claims["aud"] == ["api://AzureADTokenExchange"]
    assert claims["sub"] == "system:serviceaccount:demo:web"
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["kubernetes.io"]["serviceaccount"]["name"] == "web"


def test_every_kind_can_be_made(key):
    made = {kind: assertion.mint(key, kind) for kind in assertion.KINDS}
    assert len(set(made.values())) == len(assertion.KINDS) and made["empty"] == ""
    with pytest.raises(ValueError):
        assertion.mint(key, "other")

"""Kubernetes Secrets made of the files, at a strict stand-in for the API server."""

import base64
import json
import subprocess
import uuid

import pki
import pytest
from api_server import ApiServer
from conftest import BINARY, wait_until
from cryptography import x509

OWN = "akvsync.dev/"


@pytest.fixture
def api(tmp_path):
    server = ApiServer(tmp_path)
    yield server
    server.stop()


def secret(name="db", data=(("s", "password"),), **more):
    return {"secretName": name, "data": [{"objectName": path, "key": key} for path, key in data]} | more


def pod(api, secrets, uid=None, **more):
    return api.env(secrets, POD_UID=uid or str(uuid.uuid4()), **more)


def poll(process, times=1):
    for _ in range(times):
        since = process.mark()
        process.poll()
        wait_until(lambda: process.find("unchanged", since=since) or process.find("published", since=since))


def test_a_secret_is_made_follows_and_comes_back(world, api):
    value, uid = world.plant("s"), str(uuid.uuid4())
    env = pod(api, [secret(labels={"team": "shop"}, annotations={"note": "ü \" x"})], uid)
    # The tests' env() drops POD_UID, which would otherwise come from the machine.
    sidecar = start(world, "s", env)
    made = api.secrets["db"]
    assert made.data() == {"password": value.encode()} and made.owners() == [uid]
    assert made.labels() == {"akvsync.dev/managed": "true", "team": "shop"} and made.annotations()["note"] == 'ü " x'
    assert len(api.writes()) == 2
    version, value = made.version, world.plant("s")
    poll(sidecar, 50)
    assert wait_until(lambda: api.secrets["db"].data() == {"password": value.encode()})
    version = api.secrets["db"].version
    poll(sidecar, 8)
    assert api.secrets["db"].version == version and len(api.writes()) == 3
    api.delete("db")
    poll(sidecar, 3)
    assert wait_until(lambda: "db" in api.secrets and api.secrets["db"].owners() == [uid])
    assert api.secrets["db"].data() == {"password": value.encode()}


def start(world, objects, env, mode="sidecar", wait=True):
    """world.sidecar() with the pod's own uid."""
    uid = env.pop("POD_UID")
    everything = world.env(objects, **env) | {"POD_UID": uid}
    process = world.start(mode, env=everything)
    if mode == "init":
        process.code = process.wait(90)
    elif wait:
        process.wait_log("ready")
    return process

"""Apps that know only environment variables, as in the examples: `akvsync exec` starts them with the newest
values, and so does the kubelet with an env file."""

import json
import re
import time

import pytest
from conftest import digest, down, need, patch, plant, wait_for

APP = "/spec/template/spec/containers/0"
AKVSYNC = "/spec/template/spec/initContainers/0"
STAND_IN = {"op": "replace", "path": f"{APP}/command/3", "value": "shop"}
ONE_REPLICA = {"op": "replace", "path": "/spec/replicas", "value": 1}
RULE = {
    "op": "add",
    "path": f"{AKVSYNC}/restartPolicyRules",
    "value": [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [88]}}],
}
EXEC = [("env", 20, "exec"), ("env-image-volume", 35, "image volumes work")]
EXEC_IDS = ["by-install", "by-image-volume"]


def deployment(*operations):
    return patch("Deployment", *operations, name="shop")


def starts(place):
    """What the app said when it started, each time; of its container that runs."""
    return [entry for entry in place.events("app", "start") if "env" in entry]


def wait_start(place, **env):
    """The app's start with these variables among its own."""
    wanted = {name: digest(value) for name, value in env.items()}
    return place.wait_event("app", "start", lambda e: wanted.items() <= e.get("env", {}).items())


def every_status(place):
    status = place.pod()["status"]
    return status.get("containerStatuses", []) + status.get("initContainerStatuses", [])


def restarts(place):
    return {one["name"]: one["restartCount"] for one in every_status(place)}


def refresh(place):
    """Asks for a poll; who is restarted by it may not answer any more."""
    place.exec("akvsync", "/akvsync", "refresh", check=False)


def assert_not_told(place, *values):
    """No value is in what an operator may see."""
    told = place.describe() + place.kubectl("get", "pods,events,configmaps", "-o", "yaml")
    for value in values:
        assert value not in told


def deploy_exec(place, variant, example, **objects):
    listed = ", ".join(f"{name}={path}" for path, name in objects.items())
    place.deploy(example, variant, patches=[deployment(STAND_IN)], AKVSYNC_OBJECTS=listed)


@pytest.mark.parametrize("example, since, feature", EXEC, ids=EXEC_IDS)
def test_exec_starts_the_app_again_with_the_new_value(vault, place, variant, example, since, feature):
    """In the same container, by its own restart count and by the file that the program is."""
    need(since, feature)
    db, payment = f"{place.name}-db", f"{place.name}-payment"
    old = plant(vault, db)
    vault.set(payment, json.dumps({"key": "one", "other": "two"}))
    deploy_exec(place, variant, example, **{"MYSQL-DB-PASSWORDD": db, "payment": payment})
    pod = place.wait_ready()
    wait_start(place, DB_PASSWORD=old, API_KEY="one")
    container = place.status("app")["containerID"]
    assert place.exec("app", "cat", "/proc/1/cmdline").startswith("/opt/akvsync/akvsync\0exec\0")
    refused = place.exec("app", "sh", "-c", "echo x >/opt/akvsync/new", check=False)
    assert "Read-only" in refused.stderr

    began = time.time()
    new = plant(vault, db)
    refresh(place)
    again = wait_start(place, DB_PASSWORD=new, API_KEY="one")
    print(f"the app runs with the new value {again['ts'] - began:.1f} s after the rotation")

    published = lambda: len(place.events("akvsync", "published"))  # noqa: E731
    before = published()
    vault.set(payment, json.dumps({"key": "one", "other": "three"}))
    refresh(place)
    wait_for("the set with it", lambda: published() > before)
    time.sleep(4)  # longer than exec waits for more changes
    assert len(starts(place)) == 2, "a key that the app was not given restarts nothing"

    assert place.pod_name() == pod
    assert place.status("app")["containerID"] == container
    assert set(restarts(place).values()) == {0}
    assert_not_told(place, old, new)


def test_a_reference_that_names_nothing_is_told_by_describe(vault, place, variant):
    db = f"{place.name}-db"
    value = plant(vault, db)
    deploy_exec(place, variant, "env", **{"MYSQL-DB-PASSWORD": db})
    end = lambda: place.status("app").get("lastState", {}).get("terminated")  # noqa: E731
    ended = wait_for("the app's container to fail", end)
    assert ended["exitCode"] == 5
    told = place.kubectl("describe", "pods")
    assert "MYSQL-DB-PASSWORDD" in ended["message"] and "payment" in ended["message"], "both, at once"
    print(ended["message"].strip())
    assert re.search(r"Exit Code: +5", told)
    assert not starts(place)
    assert_not_told(place, value)


def deploy_env_file(place, name, *operations, **variables):
    need(35, "fileKeyRef works")
    place.deploy(
        "file-key-ref",
        "native-sidecar",
        patches=[deployment(ONE_REPLICA, *operations)],
        **({"AKVSYNC_OBJECTS": f"{name}=MYSQL-DB-PASSWORD"} | variables),
    )


def url(value):
    return f"mysql://app:{value}@db/shop"


def test_the_kubelet_reads_the_env_file_at_each_start(vault, place):
    """A new value waits in the file until the app's container starts again, by itself."""
    name = f"{place.name}-db"
    old = plant(vault, name)
    heal = down(vault, name)
    deploy_env_file(place, name)
    place.wait_event("akvsync", "failure", lambda e: "503" in e["msg"])
    assert "waiting" in place.status("app")["state"], "the app waits for the env file"
    heal()
    place.wait_ready()
    wait_start(place, DB_PASSWORD=old, DATABASE_URL=url(old))
    new = plant(vault, name)
    refresh(place)
    wait_for("the new set", lambda: len(place.events("akvsync", "published")) == 2)
    assert len(starts(place)) == 1
    place.exec("app", "sh", "-c", "kill -TERM 1")
    wait_start(place, DB_PASSWORD=new, DATABASE_URL=url(new))
    assert restarts(place) == {"app": 1, "akvsync": 0}
    assert_not_told(place, old, new)


def test_a_value_that_an_env_file_cannot_hold_is_told_by_describe(vault, place):
    name = f"{place.name}-db"
    value = plant(vault, name) + "'quoted'"
    vault.set(name, value)
    deploy_env_file(place, name)
    told = lambda: re.search(r"Startup probe failed: (.*)", place.kubectl("describe", "pods"))  # noqa: E731
    cause = wait_for("the probe's failure", told)[1]
    print(cause)
    assert "/env/app.env" in cause and "DB_PASSWORD" in cause
    assert "waiting" in place.status("app")["state"]
    assert_not_told(place, value)
    vault.set(name, "plain")
    refresh(place)
    place.wait_ready()
    wait_start(place, DB_PASSWORD="plain")


def test_exit_restarts_all_containers_and_the_env_file_is_read_again(vault, place):
    need(36, "RestartAllContainers works")
    name = f"{place.name}-db"
    old = plant(vault, name)
    quick = {"AKVSYNC_NOTIFY": "exit=88", "AKVSYNC_NOTIFY_SPLAY": "0s"}
    deploy_env_file(place, name, RULE, **quick)
    pod = place.wait_ready()
    wait_start(place, DB_PASSWORD=old, DATABASE_URL=url(old))
    address = place.pod()["status"]["podIP"]
    assert restarts(place) == {"app": 0, "akvsync": 0}

    began = time.time()
    new = plant(vault, name)
    refresh(place)
    again = wait_start(place, DB_PASSWORD=new, DATABASE_URL=url(new))
    print(f"the app runs with the new value {again['ts'] - began:.1f} s after the rotation")
    place.wait_ready()
    assert (place.pod_name(), place.pod()["status"]["podIP"]) == (pod, address)
    assert restarts(place) == {"app": 1, "akvsync": 1}
    ends = [one["lastState"]["terminated"] for one in every_status(place)]
    assert {(end["reason"], end["exitCode"]) for end in ends} == {("RestartingAllContainers", 137)}

    newest = plant(vault, name)
    refresh(place)
    place.wait_event("akvsync", "notify-waits")
    assert restarts(place) == {"app": 1, "akvsync": 1}, "once for a set, and not soon again"
    assert_not_told(place, old, new, newest)

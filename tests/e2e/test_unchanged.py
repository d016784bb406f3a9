"""What is no change makes no new set and tells nobody; and what is left over from an earlier set goes."""

import json

import pytest
from test_config import ConfigMap
from test_lists import polled
from test_sidecar import rotate


def by_name(app):
    return {"AKVSYNC_NOTIFY": f"signal=HUP,process={app.name}"}


def again(world, name, **properties):
    """A new version of a secret with the value it has already."""
    value = (world.volume / name).read_text()
    version = world.fake.set(name, value, **properties)
    assert version == world.fake.secret(name)["current"]
    return version


def test_a_new_version_with_the_same_bytes_swaps_nothing(world, app):
    value = world.plant("s")
    sidecar = world.sidecar("s", **by_name(app))
    generation, inode = world.generation(), (world.volume / "s").stat().st_ino
    for tags in (None, {"env": "prod"}):
        again(world, "s", tags=tags)
        polled(sidecar)
        assert world.generation() == generation and (world.volume / "s").stat().st_ino == inode
    assert app.settled() == [] and not sidecar.find("notified")
    assert len(sidecar.find("published")) == 1
    assert world.files() == {"s": value}
    # A value that differs is a change as ever.
    rotate(world, sidecar, "s")
    assert app.wait_signals(1) == ["SIGHUP"]


def test_a_file_with_the_same_bytes_stays_the_same_one_in_a_new_set(world):
    world.plant("a", "b")
    sidecar = world.sidecar("a, b")
    inode = (world.volume / "a").stat().st_ino
    again(world, "a")
    rotate(world, sidecar, "b")
    assert (world.volume / "a").stat().st_ino == inode
    assert sidecar.find("published")[-1]["changed"] == 1


def test_a_restart_swaps_nothing_for_a_new_version_with_the_same_bytes(world, app):
    world.plant("s")
    world.sidecar("s", **by_name(app)).stop()
    generation = world.generation()
    for _ in range(2):
        again(world, "s")
        sidecar = world.sidecar("s", wait=False, **by_name(app))
        sidecar.wait_log("unchanged")
        assert not sidecar.find("published")
        sidecar.stop()
    assert world.generation() == generation and app.settled() == []


def test_another_pinned_version_with_the_same_bytes_swaps_nothing(world, app):
    """The new version is remembered all the same: a restart does not ask for it again."""
    world.plant("s")
    first = world.fake.secret("s")["current"]
    entry = "objects: [{objectName: s, objectVersion: %s}]\n"
    config = ConfigMap(world.folder / "config", entry % first)
    env = world.env(None, AKVSYNC_CONFIG=config.path, **by_name(app))
    sidecar = world.start("sidecar", env=env)
    sidecar.wait_log("ready")
    generation = world.generation()
    config.write(entry % again(world, "s"))
    sidecar.wait_log("configuration-applied")
    assert world.generation() == generation and app.settled() == []
    sidecar.stop()
    mark = world.fake.mark()
    sidecar = world.start("sidecar", env=env)
    sidecar.wait_log("unchanged")
    assert not world.fake.journal(since=mark, target="vault")


def test_init_swaps_nothing_for_a_new_version_with_the_same_bytes(world):
    world.plant("s")
    assert world.init("s").code == 0
    generation = world.generation()
    again(world, "s")
    process = world.init("s")
    assert process.code == 0 and not process.find("published")
    assert world.generation() == generation


def test_metadata_that_changes_is_a_change(world, app):
    """The value has the same bytes, but the file of its metadata names the new version."""
    world.plant("s")
    sidecar = world.sidecar("[{objectName: s, metadata: true}]", **by_name(app))
    inode = (world.volume / "s").stat().st_ino
    version = again(world, "s")
    polled(sidecar)
    assert json.loads((world.volume / "s.json").read_text())["version"] == version
    assert (world.volume / "s").stat().st_ino == inode
    assert app.wait_signals(1) == ["SIGHUP"]
    assert sidecar.find("published")[-1]["changed"] == 1


@pytest.mark.parametrize("manifest", ['{"format": 99}', "garbage", ""])
def test_names_of_a_set_of_another_release_are_swept_at_once(world, manifest):
    """Its manifest cannot be read, so the names are found by looking at the directory."""
    a, _, _ = world.plant("a", "b", "c")
    (world.volume / "not-ours").symlink_to("/nowhere")
    world.sidecar("a, b, c=sub/c").stop()
    path = world.volume / "..data" / "..manifest"
    path.chmod(0o600)
    path.write_text(manifest)
    sidecar = world.sidecar("a", wait=False, AKVSYNC_RETAIN="1h")
    sidecar.wait_log("published")
    left = {name: (world.volume / name).is_symlink() for name in ("a", "b", "sub", "not-ours")}
    assert left == {"a": True, "b": False, "sub": False, "not-ours": True}
    assert (world.volume / "a").read_text() == a

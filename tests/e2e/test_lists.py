"""Entries that list the vault: version histories, patterns and tags; and what may be missing."""

import datetime
import re

import pytest
from conftest import wait_until
from test_health import ask


def versions(world, name, count, start=1_700_000_000, step=1):
    """So many versions of a secret, the last the newest; their values."""
    values = []
    for i in range(count):
        values.append(f"planted-{name}-{i}-{id(values):x}-marker")
        world.fake.set(name, values[-1], created=start + i * step, updated=start + i * step)
    return values


def history(name="h", count=3, more=""):
    return f"[{{objectName: {name}, objectVersionHistory: {count}{more}}}]"


@pytest.mark.parametrize("count", [2, 3, 5])
def test_history_means_n_versions(world, count):
    values = versions(world, "h", 6)
    assert world.init(history(count=count)).code == 0
    assert world.files() == {f"h/{i}": values[-1 - i] for i in range(count)}


def test_history_is_shorter_when_there_are_fewer(world):
    values = versions(world, "h", 2)
    assert world.init(history(count=5)).code == 0
    assert world.files() == {"h/0": values[1], "h/1": values[0]}


def test_history_over_pages_some_of_them_empty(world):
    values = versions(world, "h", 60)
    world.fake.vault_settings(empty_pages=3, final_next_link="absent")
    assert world.init(history(count=40)).code == 0
    assert world.files() == {f"h/{i}": values[-1 - i] for i in range(40)}
    assert len(world.fake.journal(target="vault", path="/secrets/h/versions", status=200)) == 6


def test_history_of_one_second_starts_with_the_current_version(world):
    """Times have a resolution of a second: only the current version can be told."""
    values = versions(world, "h", 8, step=0)
    assert world.init(history(count=8)).code == 0
    files = world.files()
    assert files["h/0"] == values[-1]
    assert sorted(files.values()) == sorted(values)


def test_history_skips_disabled_versions(world):
    values = versions(world, "h", 4)
    ids = [version["id"] for version in world.fake.secret("h")["versions"]]
    world.fake.disable("h", ids[3])
    world.fake.disable("h", ids[1])
    assert world.init(history(count=3)).code == 0
    assert world.files() == {"h/0": values[2], "h/1": values[0]}


def test_history_from_a_pinned_version(world):
    values = versions(world, "h", 5)
    third = world.fake.secret("h")["versions"][2]["id"]
    assert world.init(history(count=2, more=f", objectVersion: {third}, objectAlias: a/b")).code == 0
    assert world.files() == {"a/b/0": values[2], "a/b/1": values[1]}


def test_history_from_a_version_that_does_not_exist(world):
    versions(world, "h", 2)
    process = world.init(history(more=f", objectVersion: {'0' * 32}"))
    assert process.code == 5
    assert process.find("exit", "versions of secret 'h': version 0+ does not exist or is disabled")


def test_history_moves_on(world):
    values = versions(world, "h", 2)
    sidecar = world.sidecar(history(count=2))
    new = world.plant("h")
    sidecar.poll()
    world.wait_files({"h/0": new, "h/1": values[1]})


def test_history_of_a_key(world):
    from test_formats import jwk
    import pki

    first = jwk(pki.ec_key())(world.fake)["s"]
    second = jwk(pki.ec_key())(world.fake)["s"]
    ids = [v["id"] for v in world.fake.call("GET", "/vaults/shop-kv/keys/s")["versions"]]
    world.fake.update("s", ids[0], kind="keys")
    assert world.init("[{objectName: s, objectType: key, objectVersionHistory: 2}]").code == 0
    assert set(world.files_bytes().values()) == {first, second}


def test_history_needs_the_right_to_list(world):
    versions(world, "h", 2)
    world.fake.revoke("list")
    process = world.init(history(), AKVSYNC_INIT_TIMEOUT="8s")
    assert process.code == 4
    assert process.find("exit", 'versions of secret .h.: 403 ForbiddenByRbac.*grant "Key Vault Secrets User"')


def test_no_list_is_asked_for_without_need(world):
    world.plant("a")
    assert world.init("a").code == 0
    assert not [e for e in world.fake.journal(target="vault") if e["path"] == "/secrets" or "versions" in e["path"]]


# Patterns and tags


def test_pattern_selects_by_name(world):
    a, b, _ = world.plant("app-a", "APP-b", "other")
    assert world.init("[{objectNamePattern: 'app-*', objectAlias: app}]").code == 0
    assert world.files() == {"app/app-a": a, "app/APP-b": b}


def test_tags_select(world):
    for name, tags in (("a", {"env": "prod", "team": "x"}), ("b", {"env": "prod"}), ("c", {"env": "test"}), ("d", None)):
        world.fake.set(name, f"planted-value-of-{name}", tags=tags)
    assert world.init("[{tags: {env: prod}}]").code == 0
    assert world.files() == {"a": "planted-value-of-a", "b": "planted-value-of-b"}
    objects = "[{objectNamePattern: '*', objectAlias: x, tags: {env: prod, team: x}}]"
    assert world.init(objects).code == 0
    assert world.files() == {"x/a": "planted-value-of-a"}


def test_pattern_over_many_pages(world):
    names = [f"n-{i:03}" for i in range(80)]
    values = dict(zip(names, world.plant(*names)))
    world.fake.vault_settings(empty_pages=5)
    assert world.init("[{objectNamePattern: 'n-*'}]").code == 0
    assert world.files() == values
    assert len(world.fake.journal(target="login")) == 1


def test_a_pattern_that_matches_nothing_is_told_of(world):
    world.plant("a")
    process = world.init("[{objectName: a}, {objectNamePattern: 'ap-*'}]")
    assert process.code == 0
    assert process.find("failure", "list of secrets like 'ap-\\*': nothing in the vault matches", level="warn")


def test_a_named_object_comes_before_a_selected_one(world):
    a, b = world.plant("a", "b")
    process = world.init("[{objectNamePattern: '*'}, {objectName: a}, {objectName: b, objectAlias: x/b}]")
    assert process.code == 0
    assert world.files() == {"a": a, "b": b, "x/b": b}


def test_selected_objects_in_the_way_are_left_out(world):
    a, x = world.plant("a", "x")
    process = world.init("[{objectNamePattern: '*'}, {objectName: a, objectAlias: x/a}]")
    assert process.code == 0
    assert world.files() == {"a": a, "x/a": a}
    assert process.find("failure", "secret 'x': its path 'x' is in the way of 'x/a' of secret 'a'") and x


def test_selected_objects_among_names_that_begin_alike(world):
    """'-' comes before '/' in ASCII: a, a-b and a/x are no neighbours there."""
    values = dict(zip(("n1", "n2", "a", "a-b", "a-c", "ab"), world.plant("n1", "n2", "a", "a-b", "a-c", "ab")))
    named = "{objectName: n1, objectAlias: a/x}, {objectName: n2, objectAlias: a-b/x}"
    process = world.init(f"[{named}, {{objectNamePattern: 'a*'}}]")
    assert process.code == 0
    assert world.files() == {"a/x": values["n1"], "a-b/x": values["n2"], "a-c": values["a-c"], "ab": values["ab"]}
    told = process.find("failure", "secret 'a': its path 'a' is in the way of 'a/x'.*2 of the 4 objects", kind="left-out")
    assert len(told) == 1


def polled(sidecar):
    """Polls, whatever comes of it."""
    since = sidecar.mark()
    sidecar.poll()
    assert wait_until(lambda: sidecar.find("unchanged", since=since) or sidecar.find("published", since=since))


def test_who_has_a_path_does_not_depend_on_who_answers_first(world):
    mail = world.fake.url("mail-kv")
    world.fake.vault_settings("mail-kv")
    x, h = world.plant("x"), versions(world, "h", 2)
    world.fake.set("x", "planted-in-the-other-vault-x", vault="mail-kv")
    expected = {"x": x, "h/0": h[1], "h/1": h[0]}
    choices = f"{{objectNamePattern: '*'}}, {{objectNamePattern: 'x', vault: '{mail}'}}"
    sidecar = world.sidecar(f"[{choices}, {{objectName: h, objectVersionHistory: 2}}]")
    assert world.files() == expected
    for vault, path in (("shop-kv", "/secrets"), ("mail-kv", "/secrets"), ("shop-kv", "/secrets/h/versions")):
        late = world.fake.fault({"delay_ms": 500}, target="vault", vault=vault, path=path, authenticated=True, times=-1)
        polled(sidecar)
        assert world.files() == expected
        world.fake.remove_fault(late)


# An absent object keeps its file for three polls and three poll intervals.
OFTEN = {"AKVSYNC_POLL_INTERVAL": "1s"}
# A list that makes no sense is asked for again and again: three such rounds take longer than three of these.
SELDOM = {"AKVSYNC_POLL_INTERVAL": "5s"}


@pytest.mark.parametrize(
    "body", [{"value": {}, "nextLink": None}, {"value": "x"}, {"value": None}, {"value": [], "nextLink": 5}]
)
def test_what_is_no_list_is_not_an_empty_one(world, body):
    files = dict(zip(("app-a", "z"), world.plant("app-a", "z")))
    sidecar = world.sidecar("[{objectName: z}, {objectNamePattern: 'app-*'}]", **SELDOM)
    world.fake.fault({"status": 200, "json": body}, target="vault", path="/secrets", authenticated=True, times=-1)
    for _ in range(3):
        polled(sidecar)
    sidecar.wait_log("failure", "list of secrets like 'app-\\*': garbled reply")
    assert world.files() == files


def outlast(sidecar):
    """Waits for longer than an absent object keeps its file, while nothing changes; for a sidecar that polls OFTEN."""
    since = sidecar.mark()

    def lasted():
        # The first may be the end of a round that began before.
        times = [datetime.datetime.strptime(e["ts"], "%Y-%m-%dT%H:%M:%S.%fZ") for e in sidecar.find("unchanged", since=since)][1:]
        return len(times) >= 3 and (times[-1] - times[0]).total_seconds() > 3.1

    assert wait_until(lasted, 60)


def poll(sidecar, event="unchanged"):
    since = sidecar.mark()
    sidecar.poll()
    return sidecar.wait_log(event, since=since)


def test_new_matches_appear_and_gone_ones_go_after_three_polls(world):
    a, b = world.plant("app-a", "app-b")
    world.fake.vault_settings(settle_s=0)
    sidecar = world.sidecar("[{objectNamePattern: 'app-*'}]", **OFTEN)
    new = world.plant("app-new")
    world.wait_files({"app-a": a, "app-b": b, "app-new": new})
    since = sidecar.mark()
    world.fake.delete("app-a")
    world.wait_files({"app-b": b, "app-new": new})
    assert len(sidecar.find("unchanged", since=since)) >= 3


def test_polls_on_request_take_no_file_away(world):
    """The poll interval is an hour: many polls within a second say as little as one."""
    a, b, c = world.plant("app-a", "app-b", "c")
    world.fake.vault_settings(settle_s=0)
    sidecar = world.sidecar("[{objectNamePattern: 'app-*'}, {objectName: c, optional: true}]")
    world.fake.delete("app-a")
    world.fake.delete("c")
    for _ in range(5):
        poll(sidecar)
    assert world.files() == {"app-a": a, "app-b": b, "c": c}


def test_an_incomplete_list_takes_nothing_away(world):
    names = [f"app-{i:02}" for i in range(30)]
    values = dict(zip(names, world.plant(*names)))
    sidecar = world.sidecar("[{objectNamePattern: 'app-*'}]", **SELDOM)
    world.wait_files(values)
    generation = world.generation()
    rule = world.fake.fault({"garbage": True}, target="vault", path="/secrets", after=1, times=-1, authenticated=True)
    for _ in range(3):
        polled(sidecar)
    assert sidecar.find("failure", "list of secrets like 'app-\\*': garbled reply")
    assert world.generation() == generation
    world.fake.remove_fault(rule)
    poll(sidecar)


def test_a_list_that_is_refused_takes_nothing_away(world):
    value = world.plant("app-a")
    sidecar = world.sidecar("[{objectNamePattern: 'app-*'}]", **OFTEN)
    world.fake.revoke("list")
    outlast(sidecar)
    assert world.files() == {"app-a": value}
    assert sidecar.find("failure", "list of secrets like 'app-\\*': 403")
    world.fake.grant("list")
    new = world.plant("app-a")
    sidecar.poll()
    world.wait_files({"app-a": new})


def test_a_list_that_does_not_come_ends_no_failure_of_its_objects(world):
    world.plant("app-a", "app-b")
    sidecar = world.sidecar("[{objectNamePattern: 'app-*'}]")
    c = world.plant("app-c")
    denied = world.fake.fault({"status": 403}, target="vault", path="/secrets/app-c*", times=-1, authenticated=True)
    polled(sidecar)
    sidecar.wait_log("failure", "app-c")
    down = world.fake.fault({"status": 503}, target="vault", path="/secrets", times=-1, authenticated=True)
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("failure", "503", since)
    world.fake.remove_fault(down)
    polled(sidecar)
    assert not sidecar.find("recovered", "app-c")
    world.fake.remove_fault(denied)
    sidecar.poll()
    sidecar.wait_log("recovered", "app-c")
    assert world.files()["app-c"] == c


def test_the_last_file_never_goes(world):
    value = world.plant("app-a")
    world.fake.vault_settings(settle_s=0)
    sidecar = world.sidecar("[{objectNamePattern: 'app-*'}]", **OFTEN)
    world.fake.delete("app-a")
    outlast(sidecar)
    assert world.files() == {"app-a": value}


@pytest.mark.parametrize("link", ["https://evil.localhost:{port}/secrets?x", "http://shop-kv.vault.localhost:{port}/secrets",
                                  "https://shop-kv.vault.localhost:{port}@evil.localhost/secrets", "/secrets?next"])
def test_a_next_page_elsewhere_gets_no_token(world, link):
    world.plant("a")
    body = {"value": [], "nextLink": link.format(port=world.fake.port)}
    world.fake.fault({"status": 200, "json": body}, target="vault", path="/secrets", authenticated=True, times=-1)
    process = world.init("[{objectNamePattern: '*'}]", AKVSYNC_INIT_TIMEOUT="8s")
    assert process.code == 6
    assert process.find("exit", "its next page is (at another host|not at an https URL)")
    with_token = [e for e in world.fake.journal() if e["bearer"] != "none"]
    assert with_token and {(e["vault"], e["path"]) for e in with_token} == {("shop-kv", "/secrets")}


MATCHES, MOST = 3000, 1000


def many_matches(world):
    """A vault with more secrets that match than there may be objects, in one long page."""
    url = world.fake.url("shop-kv")
    items = [{"id": f"{url}/secrets/n-{i:04}", "attributes": {"enabled": True}} for i in range(MATCHES)]
    for i in range(MOST):
        world.fake.set(f"n-{i:04}", "planted-value-of-all-of-them")
    world.fake.fault({"status": 200, "json": {"value": items, "nextLink": None}}, target="vault", path="/secrets",
                     authenticated=True, times=-1)


def test_more_matches_than_there_may_be_objects_are_one_warning(world):
    many_matches(world)
    sidecar = world.sidecar("[{objectNamePattern: 'n-*'}]", wait=False)
    assert wait_until((world.volume / "..sock").is_socket)

    def is_ready():
        told = ask(world, "probe", "live")
        assert told.returncode == 0, told.stderr
        return sidecar.find("ready")

    assert wait_until(is_ready, timeout=120)
    polled(sidecar)
    assert len(world.files()) == MOST
    [told] = sidecar.find("failure")
    assert (told["level"], told["kind"]) == ("warn", "left-out")
    assert {str(MATCHES - MOST), str(MOST)} <= set(re.findall(r"\d+", told["msg"].replace(",", ""))), told["msg"]
    assert len(sidecar.text) < 200_000


def test_what_was_left_out_is_told_as_over_when_it_is(world):
    many_matches(world)
    sidecar = world.sidecar("[{objectNamePattern: 'n-*'}]", wait=False)
    sidecar.wait_log("ready")
    sidecar.wait_log("failure", kind="left-out")
    world.fake.clear_faults()
    value = world.plant("n-0000")
    sidecar.poll()
    assert sidecar.wait_log("recovered", kind="left-out")
    assert wait_until(lambda: (world.volume / "n-0000").read_text() == value)


def test_pages_without_end(world):
    body = {"value": [], "nextLink": f"https://shop-kv.vault.localhost:{world.fake.port}/secrets?api-version=7.4&x"}
    world.fake.fault({"status": 200, "json": body}, target="vault", path="/secrets", authenticated=True, times=-1)
    process = world.init("[{objectNamePattern: '*'}]", AKVSYNC_INIT_TIMEOUT="8s")
    assert process.code == 6
    assert process.find("exit", "its pages have no end")
    assert len(world.fake.journal(target="vault")) < 100, "a page that leads to itself is not asked for again and again"


# What may be missing


def test_optional_object_appears_later(world):
    a = world.plant("a")
    sidecar = world.sidecar("[{objectName: a}, {objectName: later, optional: true}]")
    assert world.files() == {"a": a}
    told = sidecar.find("failure", "secret 'later': 404")
    assert [entry["level"] for entry in told] == ["warn"]
    poll(sidecar)
    assert len(sidecar.find("failure", "secret 'later': 404")) == 1, "one warning"
    later = world.plant("later")
    sidecar.poll()
    world.wait_files({"a": a, "later": later})
    sidecar.wait_log("recovered", what="later")


@pytest.mark.parametrize("state", ["disabled", "forbidden"])
def test_optional_covers_what_may_not_be_read(world, state):
    a, _ = world.plant("a", "b")
    if state == "disabled":
        world.fake.disable("b")
    else:
        world.fake.revoke("get", name="b")
    process = world.init("[{objectName: a}, {objectName: b, optional: true}]")
    assert process.code == 0
    assert world.files() == {"a": a}
    assert process.find("failure", "secret 'b': 403")[0]["level"] == "warn"


def test_optional_object_goes_after_three_polls_but_never_when_forbidden(world):
    a, b = world.plant("a", "b")
    world.fake.vault_settings(settle_s=0)
    sidecar = world.sidecar("[{objectName: a}, {objectName: b, optional: true}]", **OFTEN)
    world.fake.revoke("get", name="b")
    outlast(sidecar)
    assert world.files() == {"a": a, "b": b}
    since = sidecar.mark()
    world.fake.grant("get", name="b")
    world.fake.delete("b")
    world.wait_files({"a": a})
    assert len(sidecar.find("unchanged", since=since)) >= 3


def test_optional_object_whose_mode_changes_while_it_is_forbidden_keeps_its_file(world):
    a, b = world.plant("a", "b")
    assert world.init("[{objectName: a}, {objectName: b, optional: true}]").code == 0
    world.fake.revoke("get", name="b")
    a = world.plant("a")
    sidecar = world.sidecar("[{objectName: a}, {objectName: b, optional: true, filePermission: '0400'}]", wait=False)
    sidecar.wait_log("published")
    assert world.files() == {"a": a, "b": b}
    assert (world.volume / "b").stat().st_mode & 0o777 == 0o440
    world.fake.grant("get", name="b")
    poll(sidecar, "published")
    assert world.files() == {"a": a, "b": b}
    assert (world.volume / "b").stat().st_mode & 0o777 == 0o400


def test_a_required_object_that_is_deleted_keeps_its_file(world):
    a, b = world.plant("a", "b")
    world.fake.vault_settings(settle_s=0)
    sidecar = world.sidecar("a, b", **OFTEN)
    world.fake.delete("b")
    outlast(sidecar)
    assert world.files() == {"a": a, "b": b}


def test_only_optional_objects_and_none_there(world):
    process = world.init("[{objectName: a, optional: true}]")
    assert process.code == 0
    assert not world.files()

"""What `check --pods` counts is what a sidecar really asks: with its first sync, and with each poll after it."""

import json
import re
import shlex

import pki
import pytest
from conftest import ROOT
from test_check import as_json, check
from test_choice import ids
from test_docs import fake_jwk
from test_formats import P12, pfx
from test_lists import versions
from test_validity import poll

POLLS = 3
PINNED = "objectVersion: %s"


def some(world, *names):
    for name in names:
        world.plant(name)


def one_page(world):
    world.fake.vault_settings(empty_pages=0)


def a_certificate(world):
    chain, value = pfx()()
    world.fake.set_certificate("web", value, pki.cer(chain.leaf), content_type=P12)


def named(world):
    some(world, "a", "b", "c")
    return "a, b, c=x/c"


def twice(world):
    some(world, "a")
    return "a, a=x/a"


def many(world):
    """More than there are connections: some are opened beside the first one."""
    some(world, *[f"s{i}" for i in range(14)])
    return ", ".join(f"s{i}" for i in range(14))


def as_many_as_connections(world):
    some(world, *[f"s{i}" for i in range(10)])
    return ", ".join(f"s{i}" for i in range(10))


def pinned(world):
    some(world, "a", "b")
    return f"[{{objectName: a, {PINNED % ids(world, 'a')[0]}}}, {{objectName: b}}]"


def all_pinned(world):
    some(world, "a")
    return f"[{{objectName: a, {PINNED % ids(world, 'a')[0]}}}]"


def pinned_metadata(world):
    some(world, "a")
    return f"[{{objectName: a, metadata: true, {PINNED % ids(world, 'a')[0]}}}]"


def metadata(world):
    some(world, "a")
    return "[{objectName: a, metadata: true}]"


def certificate_with_key(world):
    a_certificate(world)
    return (
        "[{objectName: web, objectAlias: s, layout: split}, {objectName: web, objectType: cert, objectAlias: c},"
        " {objectName: web, objectType: key, objectAlias: k}]"
    )


def locked(world):
    a_certificate(world)
    some(world, "password")
    return "[{objectName: web, objectFormat: pfx, pfxPasswordObject: password}]"


def pinned_locked(world):
    a_certificate(world)
    some(world, "password")
    version = ids(world, "web")[0]
    return f"[{{objectName: web, objectFormat: pfx, pfxPasswordObject: password, {PINNED % version}}}]"


def history(world):
    one_page(world)
    versions(world, "h", 5)
    return "[{objectName: h, objectVersionHistory: 3}]"


def history_metadata(world):
    one_page(world)
    versions(world, "h", 5)
    return "[{objectName: h, objectVersionHistory: 3, metadata: true}]"


def history_pinned(world):
    one_page(world)
    versions(world, "h", 5)
    return f"[{{objectName: h, objectVersionHistory: 2, {PINNED % ids(world, 'h')[2]}}}]"


def json_values(world):
    world.fake.set("j", json.dumps({"user": "shop", "password": "planted-of-json"}))
    return "[{objectName: j, extract: all}, {objectName: j, objectAlias: other, jmesPath: [{path: user, objectAlias: u}]}]"


def pinned_json_values(world):
    world.fake.set("j", json.dumps({"user": "shop", "password": "planted-of-json"}))
    return f"[{{objectName: j, extract: all, {PINNED % ids(world, 'j')[0]}}}]"


def optional(world):
    some(world, "a")
    return "[{objectName: a}, {objectName: gone, optional: true}]"


def newest(world):
    some(world, "a")
    return "[{objectName: a, objectVersion: newest-enabled}]"


EXACT = [
    named, twice, many, as_many_as_connections, pinned, all_pinned, pinned_metadata, metadata, certificate_with_key, locked, pinned_locked,
    history, history_metadata, history_pinned, json_values, pinned_json_values, optional, newest,
]  # fmt: skip


def pattern(world):
    some(world, *[f"app-{i}" for i in range(4)], "other")
    world.fake.disable("app-2")
    return "[{objectNamePattern: 'app-*', objectAlias: app}, {objectName: other}]"


def pattern_over_pages(world):
    some(world, *[f"app-{i}" for i in range(12)])
    world.fake.vault_settings(page_size=5, empty_pages=2)
    return "[{objectNamePattern: '*-1*', metadata: true}]"


def two_patterns(world):
    some(world, "app-a", "app-b")
    return "[{objectNamePattern: 'app-*'}, {objectNamePattern: '*-a'}, {objectNamePattern: '*-b', objectAlias: x}]"


def short_history(world):
    versions(world, "h", 2)
    return "[{objectName: h, objectVersionHistory: 9, metadata: true}]"


def long_history(world):
    versions(world, "h", 30)
    return "[{objectName: h, objectVersionHistory: 28}]"


def locked_history(world):
    a_certificate(world)
    a_certificate(world)
    some(world, "password")
    return "[{objectName: web, objectFormat: pfx, pfxPasswordObject: password, objectVersionHistory: 2}]"


def stand_in(world):
    versions(world, "a", 3)
    world.fake.disable("a")
    return "[{objectName: a, objectVersion: newest-enabled}]"


def current_is_disabled(world):
    versions(world, "h", 3)
    world.fake.disable("h")
    return "[{objectName: h, objectVersionHistory: 2}]"


ONLINE = [
    pattern, pattern_over_pages, two_patterns, short_history, long_history, locked_history, stand_in, current_is_disabled,
]  # fmt: skip


def cost(env, *arguments):
    code, report = as_json(env, "--pods", "300", *arguments)
    assert code == 0, report
    return report["cost"]


def requests(world, since):
    return len(world.fake.journal(since=since, target="vault"))


def asked(world, objects):
    """Requests of the first sync, of each of some polls, and token requests."""
    mark = world.fake.mark()
    sidecar = world.sidecar(objects)
    sidecar.wait_log("published")
    start, tokens = requests(world, mark), len(world.fake.journal(since=mark, target="login"))
    polls = []
    for _ in range(POLLS):
        mark = world.fake.mark()
        poll(sidecar)
        polls.append(requests(world, mark))
    return start, polls, tokens


def assert_equal(world, objects, told, estimated=None):
    (vault,) = told["vaults"]
    assert vault["estimated"] == estimated
    start, polls, tokens = asked(world, objects)
    assert [vault["requestsPerPoll"]] * POLLS == polls
    assert (vault["requestsPerStart"], told["tokens"]["requestsPerStart"]) == (start, tokens)


@pytest.mark.parametrize("shape", EXACT)
@pytest.mark.parametrize("mode", ["offline", "online"])
def test_the_estimate_is_what_the_vault_receives(world, shape, mode):
    objects = shape(world)
    told = cost(world.env(objects), *["--online"][: mode == "online"])
    estimated = told["vaults"][0]["estimated"]
    if mode == "online":
        assert estimated is None
    assert_equal(world, objects, told, estimated)


@pytest.mark.parametrize("shape", ONLINE)
def test_online_counts_what_only_the_vault_knows(world, shape):
    objects = shape(world)
    assert_equal(world, objects, cost(world.env(objects), "--online"))


def test_offline_says_what_it_cannot_count(world):
    objects = "[{objectNamePattern: '*'}, {tags: {env: prod}, objectAlias: x}, {objectName: h, objectVersionHistory: 3}, {objectName: k, objectType: key}, {objectName: s}]"
    (vault,) = cost(world.env(objects))["vaults"]
    assert (vault["requestsPerPoll"], vault["requestsPerStart"]) == (1 + 1 + 2 + 1 + 1, 1 + 1 + 4 + 1 + 1 + 1)
    for words in ("patterns and tags (2): one page of the list is counted", "histories (1)", "keys (1)", "--online counts"):
        assert words in vault["estimated"]


def test_several_vaults_each_with_its_own(world):
    some(world, "a", "b")
    world.fake.vault_settings("mail-kv")
    world.fake.vault_settings("idle-kv")
    world.fake.set("m", "planted-in-mail", vault="mail-kv")
    version = world.fake.set("p", "planted-in-idle", vault="idle-kv")
    mail, idle = world.fake.url("mail-kv"), world.fake.url("idle-kv")
    objects = f"[{{objectName: a}}, {{objectName: b}}, {{objectName: m, vault: '{mail}'}}, {{objectName: p, vault: '{idle}', objectVersion: {version}}}]"
    told = cost(world.env(objects))
    assert told == cost(world.env(objects), "--online")
    by_vault = {vault["vault"]: (vault["requestsPerPoll"], vault["requestsPerStart"]) for vault in told["vaults"]}
    assert by_vault == {world.fake.url("shop-kv"): (2, 3), mail: (1, 2), idle: (0, 2)}
    assert told["tokens"]["requestsPerStart"] == 1
    start, polls, tokens = asked(world, objects)
    assert (start, polls, tokens) == (7, [3] * POLLS, 1)
    assert told["monthUSD"] == pytest.approx(sum(vault["monthUSD"] for vault in told["vaults"]))


def test_online_knows_the_kinds_of_keys(world):
    """A key of 4096 bits counts as eight of 2048."""
    world.fake.set_key("big", fake_jwk(pki.rsa.generate_private_key(65537, 4096)))
    world.fake.set_key("curve", fake_jwk(pki.ec_key()))
    env = world.env("key/big, key/curve", AKVSYNC_POLL_INTERVAL="100s")
    (offline,), (online,) = cost(env)["vaults"], cost(env, "--online")["vaults"]
    assert offline["share"] == pytest.approx(300 * 2 / 100 / 400)
    assert online["share"] == pytest.approx(300 / 100 / 50 + 300 / 100 / 400)
    assert offline["monthUSD"] == pytest.approx(300 * 2 / 100 * 730 * 3600 * 0.03 / 10000)
    assert online["monthUSD"] == pytest.approx(offline["monthUSD"] * 5)
    assert "keys (2)" in offline["estimated"] and online["estimated"] is None


LOCAL = {"AKVSYNC_VAULT": "shop-kv", "AKVSYNC_OBJECTS": "a, b, c"}


def test_it_is_told_to_people():
    run = check(LOCAL, "--pods", "300")
    assert run.returncode == 0 and not run.stderr
    lines = run.stdout[run.stdout.index("Cost of 300 pods that poll every 5m\n") :].splitlines()
    rows = {line[6:30].strip(): line[30:] for line in lines if line.startswith("      ")}
    assert lines[1] == "  https://shop-kv.vault.azure.net"
    assert "  Entra, for tokens" in lines
    assert rows["bill of a month"] == "23.65 USD; of such a start 0.0027 USD"
    assert "      while nothing changes   3.00 requests a second, 0.75 % of the vault's limit" in lines
    assert "      when all start at once  1200 requests, 30.00 % of what the vault answers in 10s" in lines
    assert "fix" not in rows and "List prices as of 2026-11: 0.03 USD for 10000 requests" in run.stdout
    assert "Cost" not in check(LOCAL).stdout
    assert as_json(LOCAL)[1]["cost"] is None


def test_people_see_the_sum_of_several_vaults():
    objects = "[{objectName: a}, {objectName: b, vault: mail-kv}, {objectName: c, vault: mail-kv}]"
    run = check(LOCAL | {"AKVSYNC_OBJECTS": objects}, "--pods", "300")
    assert "\n  all vaults\n      bill of a month         23.65 USD\n" in run.stdout
    assert "7.88 USD" in run.stdout and "15.77 USD" in run.stdout
    assert "all vaults" not in check(LOCAL, "--pods", "300").stdout


HUGE = f"[{', '.join(f'{{objectName: a{i}, objectVersionHistory: 1000, metadata: true}}' for i in range(200))}]"
FAR = {"AKVSYNC_POLL_INTERVAL": "1h"}
FIXES = {
    "half of it is fine": (["--pods", "200"], {"AKVSYNC_POLL_INTERVAL": "3s"}, None),
    "a little more is not": (["--pods", "201"], {"AKVSYNC_POLL_INTERVAL": "3s"}, "set AKVSYNC_POLL_INTERVAL to 4s or longer, or divide the pods among 2 vaults, "),
    "too much": (["--pods", "1000"], {"AKVSYNC_POLL_INTERVAL": "1s"}, "this is more than the vault answers, it refuses the rest with 429: set AKVSYNC_POLL_INTERVAL to 15s or longer, or divide the pods among 16 vaults in several subscriptions or regions"),
    "a set must not be too old before it is polled for": (["--pods", "201"], {"AKVSYNC_POLL_INTERVAL": "3s", "AKVSYNC_MAX_STALENESS": "10s"}, "set AKVSYNC_POLL_INTERVAL to 4s or longer and AKVSYNC_MAX_STALENESS to 12s, or divide "),
    "unless that is long": (["--pods", "201"], {"AKVSYNC_POLL_INTERVAL": "3s", "AKVSYNC_MAX_STALENESS": "12s"}, "set AKVSYNC_POLL_INTERVAL to 4s or longer, or divide "),
    "a burst": (["--pods", "2000"], FAR, "start at most 995 pods within 10s, or divide them among several vaults"),
    "a start of one pod": (["--pods", "1", "--limit", "3/10"], FAR, "divide the objects of a pod among several vaults: the start of one pod and the polls are more than the vault answers in 10s"),
    "polls of one pod": (["--pods", "2", "--limit", "5/10"], {"AKVSYNC_POLL_INTERVAL": "10s"}, "set AKVSYNC_POLL_INTERVAL to 24s or longer, or divide pods and their objects among at least 3 vaults, "),
    "another limit": (["--pods", "300", "--limit", "2/1"], {}, "divide the pods among 3 vaults"),
    "a limit that is high enough": (["--pods", "1000", "--limit", "100000/1"], {"AKVSYNC_POLL_INTERVAL": "1s"}, None),
    "the largest numbers": (["--pods", "1000000", "--limit", "1/86400", "--price", "1000000"], {"AKVSYNC_OBJECTS": HUGE}, "divide pods and their objects among at least "),
}  # fmt: skip


@pytest.mark.parametrize("row", FIXES)
def test_the_fix(row):
    arguments, env, fix = FIXES[row]
    objects = LOCAL | {"AKVSYNC_OBJECTS": "a, b, c"} | env
    code, report = as_json(objects, *arguments)
    (vault,) = report["cost"]["vaults"]
    assert code == 0 and (vault["fix"] is None if fix is None else fix in vault["fix"])
    text = check(objects, *arguments)
    assert text.returncode == 0 and ("      fix " in text.stdout) == (fix is not None)


WRONG = {
    "no number": (["--pods"], "--pods takes N"),
    "an option for it": (["--pods", "--online"], "--pods takes a number of pods, 1 to 1000000, such as --pods 300, not '--online'"),
    "none": (["--pods", "0"], "not '0'"),
    "too many": (["--pods", "1000001"], "1 to 1000000"),
    "no seconds": (["--pods", "3", "--limit", "4000"], "--limit takes REQUESTS/SECONDS, the requests that one vault answers in a time, such as --limit 4000/10, not '4000'"),
    "no limit": (["--pods", "3", "--limit", "0/10"], "such as --limit 4000/10"),
    "no price": (["--pods", "3", "--price", "cheap"], "--price takes the price of 10000 requests"),
    "a limit of nothing": (["--limit", "4000/10"], "--limit says nothing without a number of pods; add --pods N"),
    "a price of nothing": (["--price", "1"], "--price says nothing without a number of pods; add --pods N"),
    "an escape": (["--pods", "\x1b[2J"], "not '?[2J'"),
}  # fmt: skip


@pytest.mark.parametrize("row", WRONG)
def test_a_wrong_option_exits_2(row):
    arguments, says = WRONG[row]
    run = check(LOCAL, *arguments)
    assert run.returncode == 2 and not run.stdout
    assert says in run.stderr and "Try 'akvsync check --help'" in run.stderr


def test_the_help_names_the_options():
    run = check({}, "--help")
    assert run.returncode == 0
    for option in ("--pods", "--limit", "--price", "--online", "--output"):
        assert option in run.stdout


def test_the_largest_numbers_have_their_digits():
    env = LOCAL | {"AKVSYNC_OBJECTS": HUGE, "AKVSYNC_POLL_INTERVAL": "1s"}
    arguments = ("--pods", "1000000", "--limit", "1/86400", "--price", "1000000")
    (vault,) = as_json(env, *arguments)[1]["cost"]["vaults"]
    assert vault["burst"] == 200205 * 1000000 and vault["burstSeconds"] == pytest.approx(200205e6 * 86400)
    text = check(env, *arguments).stdout
    assert "in 24h: at least 8784h\n" in text and "Price of 10000 requests: 1000000 USD\n" in text
    assert "Price of 10000 requests: 0.000001 USD\n" in check(LOCAL, "--pods", "3", "--price", "0.000001").stdout
    many = as_json(LOCAL, "--pods", "308642")[1]["cost"]["vaults"][0]
    assert many["burst"] == 1234568


def test_a_mistake_has_no_cost():
    code, report = as_json({"AKVSYNC_VAULT": "shop-kv"}, "--pods", "3")
    assert code == 3 and report["cost"] is None


def test_managed_identity_asks_its_own_endpoint():
    env = LOCAL | {"AKVSYNC_AUTH": "managed-identity"}
    assert "the managed identity's endpoint, for tokens" in check(env, "--pods", "3").stdout
    assert as_json(env, "--pods", "3")[1]["cost"]["tokens"]["from"] == "managed-identity"


def test_a_managed_hsm_is_paid_by_the_hour():
    env = {"AKVSYNC_VAULT": "https://shop.managedhsm.azure.net", "AKVSYNC_OBJECTS": "key/k"}
    (vault,) = as_json(env, "--pods", "300")[1]["cost"]["vaults"]
    assert vault["share"] is None and vault["burstShare"] is None and vault["monthUSD"] == 0
    assert "paid by the hour" in vault["estimated"]
    (vault,) = as_json(env, "--pods", "300", "--limit", "10/1", "--price", "1")[1]["cost"]["vaults"]
    assert vault["share"] == pytest.approx(0.1) and vault["monthUSD"] > 0 and vault["estimated"] is None


PAGE = (ROOT / "docs/cost.md").read_text()


def test_the_example_of_the_page():
    variables, options, output = re.search(r"^\$ (.*) akvsync check (.*)\n((?:.*\n)*?)```", PAGE, re.M).groups()
    env = dict(word.split("=", 1) for word in shlex.split(variables))
    run = check(env, *shlex.split(options))
    assert run.returncode == 0 and f"\n{output}\n" in run.stdout


def test_the_page_has_the_limits_and_prices_of_the_code():
    code = (ROOT / "syncer/sync/cost.c").read_text()
    rows = re.findall(r'\[COST_\w+\] = \{ "([^"]+)", (\d+), (\d+) \}', code)
    assert len(rows) == 9
    shown = re.findall(r"^\| ([^|]+) \| ([\d,]+) \| ([\d.]+) \|$", PAGE, re.M)
    assert shown == [(words, f"{int(limit):,}", f"{int(price) / 1e6:.2f}") for words, limit, price in rows]
    (as_of,) = re.findall(r'#define COST_AS_OF "([\d-]+)"', (ROOT / "syncer/sync/cost.h").read_text())
    assert f"As of {as_of}, for one vault" in PAGE


def test_the_page_has_each_member_of_the_report():
    told = as_json(LOCAL, "--pods", "3")[1]["cost"]
    names = {*told, *told["vaults"][0], *told["tokens"]}
    shown = set(re.findall(r"`(\w+)(?:\[\])?`", PAGE[PAGE.index("## For machines") :]))
    assert names - shown == set()

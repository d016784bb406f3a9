"""A real Prometheus scrapes twenty real sidecars, some of them with a fault: each query of the dashboard has data, and
of the alerts those fire, and only those, that name a fault."""

import re
import time

import pytest
from dashboard import DASHBOARD, answer, filled, panels, queries
from fleet import EXPECTED, SIZE, running, wait_for
from prometheus import MISSING, get, promtool, rules

pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


def test_all_that_is_of_the_fleet(tmp_path):
    """In one test, since a fleet of its own for each worker of pytest would cost too much."""
    with running(tmp_path) as fleet:
        the_alerts_are_those_of_the_faults(fleet)
        the_alerts_say_which_pod_and_why(fleet)
        each_query_of_the_dashboard_has_data(fleet)
        the_variables_choose(fleet)
        promtool_has_nothing_to_say_of_the_metrics(fleet)
        nothing_shows_a_value(fleet)


def the_alerts_are_those_of_the_faults(fleet):
    def differ():
        firing = fleet.firing()
        return f"missing {EXPECTED - firing}, too many {firing - EXPECTED}\n{fleet.logs()}"

    # A pod without a fault may be late for a moment on a busy machine.
    wait_for("the alerts of all faults, and no others", lambda: fleet.firing() == EXPECTED, differ)
    assert {alert for alert, *_ in EXPECTED} == {rule["alert"] for rule in rules()}


def the_alerts_say_which_pod_and_why(fleet):
    for labels, texts in fleet.server.alerts():
        for text in texts.values():
            assert not re.search(r"error expanding template|<no value>|%!", text), text
        if "pod" in labels:
            assert labels["pod"] in texts["summary"], texts
            assert f"namespace {labels['namespace']}" in texts["summary"], texts
    said = {(labels["alertname"], labels.get("pod")): texts["description"] for labels, texts in fleet.server.alerts()}
    assert "object 'denied'" in said["AkvsyncStale", "shop-1"] and "(permission)" in said["AkvsyncStale", "shop-1"]
    assert "(not-found)" in said["AkvsyncNotReady", "shop-6"]


def each_query_of_the_dashboard_has_data(fleet):
    end = time.time()
    empty = [name for name, _, target in queries() if not answer(fleet.server, target, fleet.start, end, 1)]
    assert not empty, f"no data: {empty}"
    assert len(list(panels())) >= 40


def the_variables_choose(fleet):
    """As Grafana asks for their values; and a panel of one pod has no other's series."""
    for variable in DASHBOARD["templating"]["list"][1:]:
        selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
        found = fleet.server.ask(f"label/{label}/values", **{"match[]": filled(selector)})
        assert len(found) == {"namespace": 2, "pod": SIZE}[label]
    expr = next(target["expr"] for _, panel, target in queries() if panel["title"] == "Ready")
    assert [labels["pod"] for labels, _ in fleet.server.now(filled(expr, "shop", "shop-1"))] == ["shop-1"]


def promtool_has_nothing_to_say_of_the_metrics(fleet):
    for one in fleet.sidecars[:8]:
        status, _, text = get(one.port, "/metrics")
        assert status == 200
        told = promtool("check", "metrics", text=text)
        assert told.returncode == 0 and not told.stderr + told.stdout, f"{one.pod}: {told.stderr}{told.stdout}"


def nothing_shows_a_value(fleet):
    """Neither a series nor a text of an alert."""
    said = str(fleet.server.ask("series", **{"match[]": '{job="akvsync"}'})) + str(fleet.server.alerts())
    assert "db-password" in said and "planted-" not in said
    assert not [marker for marker in fleet.fake.markers(values=True) if len(marker) >= 16 and marker in said]

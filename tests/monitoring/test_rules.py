"""The alerts: promtool's tests, both of their files, their page, and that all metrics they name are akvsync's."""

import json
import re

import pytest
import yaml
from dashboard import DASHBOARD, filled, queries
from prometheus import MISSING, MONITORING, ROOT, promtool, rules

HERE = ROOT / "tests/monitoring"
OPERATE = ROOT / "docs/operate.md"
needs_promtool = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
TESTS = yaml.safe_load((HERE / "alerts.yaml").read_text())["tests"]
ALERTS = {rule["alert"] for rule in rules()}


@needs_promtool
def test_promtool_accepts_the_rules():
    told = promtool("check", "rules", MONITORING / "rules.yaml")
    assert told.returncode == 0, told.stderr + told.stdout
    assert f"{len(rules())} rules found" in told.stdout


@needs_promtool
def test_each_alert_fires_when_it_should():
    told = promtool("test", "rules", HERE / "alerts.yaml")
    assert told.returncode == 0, told.stderr + told.stdout


def test_each_alert_has_a_fault_and_a_healthy_hour():
    expected = [(test["name"], one) for test in TESTS for one in test["alert_rule_test"]]
    fires = {(one["alertname"], alert["exp_labels"]["severity"]) for _, one in expected for alert in one["exp_alerts"]}
    assert fires == {(rule["alert"], rule["labels"]["severity"]) for rule in rules()}
    healthy = {(one["alertname"], one["eval_time"]) for name, one in expected if name == "a healthy hour" and not one["exp_alerts"]}
    assert healthy == {(alert, time) for alert in ALERTS for time in ("5m", "30m", "60m")}


@needs_promtool
def test_the_scrape_config_is_valid(tmp_path):
    """But for its look for pods, which Debian's Prometheus is built without."""
    jobs = yaml.safe_load((MONITORING / "scrape-config.yaml").read_text())
    assert [job.pop("kubernetes_sd_configs") for job in jobs] == [[{"role": "pod"}]]
    (tmp_path / "prometheus.yaml").write_text(json.dumps({"scrape_configs": jobs}))
    told = promtool("check", "config", "--syntax-only", tmp_path / "prometheus.yaml")
    assert told.returncode == 0, told.stderr + told.stdout


def test_both_files_have_the_same_alerts():
    """rules.yaml is the spec of prometheus-rule.yaml, two columns to the left, below a line of its own."""
    head, of_the_operator = (MONITORING / "prometheus-rule.yaml").read_text().split("\nspec:\n")
    lines = of_the_operator.splitlines()
    plain = (MONITORING / "rules.yaml").read_text().splitlines()
    assert "kind: PrometheusRule" in head
    assert plain[1:] == [line.removeprefix("  ") for line in lines], "after a change: sed '1,/^spec:/d; s/^  //'"


def test_each_alert_says_what_to_do():
    for rule in rules():
        texts = rule["annotations"]
        assert texts.keys() == {"summary", "description", "runbook_url"}, rule["alert"]
        assert "Cause:" in texts["description"] and "Fix:" in texts["description"], rule["alert"]
        assert "namespace" in texts["summary"] + texts["description"]
        assert texts["runbook_url"] == f"docs/operate.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("warning", "critical") and rule["for"]


def headings(page):
    """The anchors of a page."""
    return {
        re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-")
        for line in page.read_text().splitlines()
        if line.startswith("#")
    }


@pytest.mark.skipif(not OPERATE.exists(), reason="docs/operate.md is not there yet")
def test_each_alert_has_its_part_of_the_runbook():
    assert {alert.lower() for alert in ALERTS} <= headings(OPERATE)


def test_the_page_lists_the_alerts():
    """Name, when it fires, and its severities."""
    page = (ROOT / "docs/monitoring.md").read_text()
    rows = re.findall(r"^\| \[`(Akvsync\w+)`\]\(operate\.md#(\w+)\) \| ([\w, ]+) \| ([\w, ]+) \|", page, re.M)
    told = {(name, tuple(severities.split(", ")), tuple(waits.split(", "))) for name, _, severities, waits in rows}
    real = {}
    for rule in rules():
        entry = real.setdefault(rule["alert"], ([], []))
        entry[0].append(rule["labels"]["severity"])
        if rule["for"] not in entry[1]:
            entry[1].append(rule["for"])
    assert told == {(name, tuple(severities), tuple(waits)) for name, (severities, waits) in real.items()}
    assert all(anchor == name.lower() for name, anchor, *_ in rows)


def table_of_metrics():
    """Names, types and labels in the program."""
    text = (ROOT / "syncer/report/metrics_table.c").read_text()
    return dict(re.findall(r'\{\s*"([a-z_]+)",\s*([GCH]),', text))


@pytest.mark.skipif(not (ROOT / "syncer/report/metrics_table.c").exists(), reason="the program has no table of metrics yet")
def test_all_metrics_asked_for_are_the_program_s():
    names = set()
    for name, kind in table_of_metrics().items():
        names |= {f"{name}_bucket"} if kind == "H" else {name}
    asked = [rule["expr"] for rule in rules()] + [rule["annotations"]["description"] for rule in rules()]
    asked += [target["expr"] for _, _, target in queries()]
    asked += [series["series"] for test in TESTS for series in test["input_series"]]
    asked = set(re.findall(r"\b(?:akvsync|process)_[a-z_]+\b", " ".join(asked)))
    assert asked <= names, asked - names
    assert {name for name in names if name.startswith("akvsync")} <= asked | UNASKED, names - asked
    assert not UNASKED & asked


UNASKED = set()
"""Metrics that neither an alert nor a panel asks for."""


def test_the_panels_fill_the_width_and_no_two_are_in_one_place():
    taken, ids = {}, set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert panel["id"] not in ids and place["x"] + place["w"] <= 24
        ids.add(panel["id"])
        assert panel["title"] and (panel["type"] == "row" or panel["description"])
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, (panel["title"], taken.get((x, y)))
                taken[x, y] = panel["title"]
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Does anything need a person?", "Fleet", "Pod: $pod", "Object"]
    assert DASHBOARD["panels"][0]["title"] == rows[0]


def test_the_dashboard_names_no_data_source_of_one_grafana():
    assert [one["name"] for one in DASHBOARD["templating"]["list"]] == ["datasource", "namespace", "pod"]
    for name, panel, target in queries():
        assert panel["datasource"] == target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, name
    assert DASHBOARD["id"] is None and DASHBOARD["uid"] == "akvsync" and DASHBOARD["schemaVersion"] >= 38


@needs_promtool
def test_the_first_row_has_a_number_also_where_nothing_happens(tmp_path):
    """A fleet whose polls are rarer than a query looks back, and one without pods: 0, and not 'no data' or 'not a number'."""
    asleep = [f'akvsync_vault_{name}_total{{namespace="shop",vault="shop-kv"}}' for name in ("throttled", "requests")]
    first_row = [filled(target["expr"]) for name, panel, target in queries() if name.startswith("Does any") and panel["type"] == "stat"]
    expected = [{"expr": expr, "eval_time": "1h", "exp_samples": [{"labels": "{}", "value": 0}]} for expr in first_row]
    tests = [
        {"interval": "1m", "input_series": [{"series": one, "values": "7x60"} for one in series], "promql_expr_test": expected}
        for series in (asleep, asleep[:0])
    ]
    assert len(first_row) == 8
    (tmp_path / "tests.yaml").write_text(json.dumps({"tests": tests}))
    told = promtool("test", "rules", tmp_path / "tests.yaml")
    assert told.returncode == 0, told.stderr + told.stdout


def test_the_colours_of_status_and_page_have_the_limits_of_the_alert():
    code = (ROOT / "syncer/report/view.h").read_text()
    words = {"SOON": "WARNING", "URGENT": "CRITICAL"}
    days = {words[name]: n for name, n in re.findall(r"#define VIEW_EXPIRES_(SOON|URGENT)_S \((\d+) \* 86400\)", code)}
    alerts = {rule["labels"]["severity"].upper(): re.search(r"< (\d+) \* 86400$", rule["expr"])[1] for rule in rules() if rule["alert"] == "AkvsyncObjectExpiringSoon"}
    assert days == alerts == {"WARNING": "30", "CRITICAL": "7"}

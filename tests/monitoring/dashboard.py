"""The queries of the dashboard, as Grafana would ask them."""

import json
import math

from prometheus import MONITORING

DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text())
INTERVAL = "20s"
"""Of Grafana's $__rate_interval: at least four scrapes; some polls of the fleet in tests."""


def panels():
    """(title of the row, panel) of each panel that has queries."""
    row = None
    for panel in DASHBOARD["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
        else:
            yield row, panel


def filled(expr, namespace=".*", pod=".*"):
    """A query with the variables of the dashboard; at first everything is chosen."""
    for name, value in (("$namespace", namespace), ("$pod", pod), ("$__rate_interval", INTERVAL)):
        expr = expr.replace(name, value)
    assert "$" not in expr, expr
    return expr


def queries():
    """(name, panel, target) of each query."""
    for row, panel in panels():
        for target in panel["targets"]:
            yield f"{row.split(':')[0]} / {panel['title']} / {target['refId']}", panel, target


def answer(server, target, start, end, step):
    """[labels, [[time, number], …]] of each series that has a number."""
    expr = filled(target["expr"])
    if target["instant"]:
        found = [[labels, [[end, value]]] for labels, value in server.now(expr)]
    else:
        found = server.range(expr, start, end, step)
    numbers = [[labels, [[t, v] for t, v in values if math.isfinite(v)]] for labels, values in found]
    return [[labels, values] for labels, values in numbers if values]

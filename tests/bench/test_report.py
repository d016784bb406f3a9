"""Figures of an earlier release, whatever their form, never keep a measurement from being written."""

import json

import pytest
import report

INIT = [
    {"contender": name, "secrets": count, "wall_ms_at_20_ms": wall}
    for name, wall in (("akvsync", 90), ("curl", 300))
    for count in (1, 10)
]
IDLE = [{"interval": "1m", "requests": 10}]


@pytest.fixture
def out(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "OUT", tmp_path)
    return tmp_path


def test_figures_of_other_runs_stay(out):
    report.write({"init": INIT, "idle": IDLE})
    report.write({"idle": [{"interval": "5m", "requests": 20}]})
    known = json.loads((out / "report.json").read_text())
    assert known == {"init": INIT, "idle": [{"interval": "5m", "requests": 20}]}
    text = (out / "report.md").read_text()
    assert "| akvsync | 1 | 90 |" in text and "| 5m | 20 |" in text and "| 1m |" not in text
    assert (out / "init.svg").read_text().count("<polyline") == 2


@pytest.mark.parametrize(
    "before",
    [
        "",
        "{",
        "3",
        "[1]",
        "null",
        '"text"',
        '{"init": []}',
        '{"init": 3}',
        '{"init": [{"contender": "akvsync"}]}',
        '{"init": [{"contender": "akvsync", "secrets": "1", "wall_ms_at_20_ms": "90"}]}',
        '{"idle": [3]}',
        '{"throttle": {"sidecars": 300}}',
        '{"throttle": []}',
        '{"load": []}',
        '{"load": {"rotations": [], "port": [], "probes": []}}',
    ],
)
def test_figures_of_another_form_are_ignored(out, before, capsys):
    (out / "report.json").write_text(before)
    report.write({"idle": IDLE})
    assert json.loads((out / "report.json").read_text()) == {"idle": IDLE}
    assert "has another form and is ignored" in capsys.readouterr().out


def test_the_first_figures_need_none_before_them(out, capsys):
    report.write({"idle": IDLE})
    assert (out / "report.md").exists() and "ignored" not in capsys.readouterr().out

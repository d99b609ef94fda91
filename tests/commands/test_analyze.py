"""How `analyze` handles a report that is made by hand here."""

import json

import pytest

from tracediag.__main__ import main
from tracediag.results.findings import Confidence, Finding, Severity, Step
from tracediag.results.report import Input, Report


def finding(severity):
    return Finding(
        code="TD303",
        name="double-close",
        severity=severity,
        confidence=Confidence.CERTAIN,
        title="fd 9 is closed twice",
        object="fd 9",
        steps=(Step(line=2, text="close(9) = -1 EBADF (Bad file descriptor)", note="closed again", primary=True),),
        why="w",
        fix="f",
    )


@pytest.fixture
def analyze(monkeypatch):
    """Return a function that runs `tracediag analyze` on a report, and returns exit code and library arguments."""

    def run(*options, severities=(), paths=("x.strace",)):
        asked = []

        class Fake:
            def __init__(self, source, **how):
                asked.append((source, how))
                self._findings = tuple(map(finding, severities))
                self._path = source

            def __iter__(self):
                return iter(self._findings)

            def report(self):
                return Report(input=Input(path=self._path), findings=self._findings)

        monkeypatch.setattr("tracediag.analysis.Analysis", Fake)
        return main(["analyze", *paths, *options]), asked

    return run


@pytest.mark.parametrize(
    ("fail_on", "severities", "code"),
    [
        ("warning", [], 0),
        ("warning", [Severity.NOTE], 0),
        ("warning", [Severity.NOTE, Severity.WARNING], 1),
        ("warning", [Severity.ERROR], 1),
        ("error", [Severity.WARNING], 0),
        ("error", [Severity.ERROR], 1),
        ("note", [Severity.NOTE], 1),
        ("note", [], 0),
        ("never", [Severity.ERROR], 0),
    ],
)
def test_fail_on(analyze, fail_on, severities, code):
    assert analyze("--fail-on", fail_on, severities=severities)[0] == code


def test_warning_is_the_default(analyze):
    assert analyze(severities=[Severity.WARNING])[0] == 1
    assert analyze(severities=[Severity.NOTE])[0] == 0
    assert analyze("--exit-zero", severities=[Severity.ERROR])[0] == 0


def test_rules_are_chosen_by_name_or_code(analyze):
    _, asked = analyze("--select", "TD101, double-close", "--select", "TD103", "--ignore", "double-close")
    assert list(asked[0][1]["select"]) == ["TD101", "double-close", "TD103"]
    assert list(asked[0][1]["ignore"]) == ["double-close"]


def test_further_reports(analyze, tmp_path, capsys):
    files = {name: tmp_path / f"report.{name}" for name in ("full", "concise", "json")}
    options = [part for name, path in files.items() for part in ("-o", f"{name}:{path}")]
    analyze("--format", "concise", *options, severities=[Severity.ERROR], paths=("a.strace", "b.strace"))
    shown = capsys.readouterr().out
    assert shown == (
        "a.strace:2: error[TD303] double-close: fd 9 is closed twice\n"
        "b.strace:2: error[TD303] double-close: fd 9 is closed twice\n"
    )
    assert files["concise"].read_text() == shown
    assert [json.loads(line)["input"]["path"] for line in files["json"].read_text().splitlines()] == [
        "a.strace",
        "b.strace",
    ]
    assert files["full"].read_text().count("tracediag explain TD303") == 2


def test_progress_is_for_long_files_on_a_terminal(analyze, tmp_path, monkeypatch):
    path = tmp_path / "long.strace"
    with path.open("wb") as stream:
        stream.truncate(9 << 20)
    _, asked = analyze(paths=(str(path),))
    assert asked[0][1]["progress"] is None
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    _, asked = analyze(paths=(str(path),))
    assert asked[0][1]["progress"] is not None
    _, asked = analyze(paths=("-",))
    assert asked[0][1]["progress"] is None

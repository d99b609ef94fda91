"""Every sample is diagnosed: the rule of its folder finds the bug, and the repaired twin is clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Severity
from tracediag.results.report import Report
from tracediag.rules import find_rule

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
FOLDERS = sorted(trace.parent for trace in SAMPLES.glob("*/bug.strace"))


def _traces(pattern: str) -> list[object]:
    found = [trace for folder in FOLDERS for trace in sorted(folder.glob(pattern))]
    return [pytest.param(trace, id=f"{trace.parent.name}/{trace.name}") for trace in found]


def _read(trace: Path) -> Report:
    report = analyze(trace)
    assert report.input.calls > 0
    assert report.input.not_understood == 0, report.input.samples
    return report


@pytest.mark.parametrize("trace", _traces("*.strace"))
def test_shows_nothing_of_the_machine_it_was_made_on(trace: Path) -> None:
    text = trace.read_text(encoding="utf-8", errors="replace")
    assert not [place for place in (SAMPLES.parent, Path.home()) if f"{place}/" in text and place != Path("/")]


@pytest.mark.parametrize("trace", _traces("bug*.strace"))
def test_bug_is_named_by_its_rule(trace: Path) -> None:
    names = [finding.name for finding in _read(trace).findings]
    finders = [find_rule(name).found_by for name in names]  # a page gives its name to what that rule finds
    assert trace.parent.name in (*names[:2], *finders[:2]), names


@pytest.mark.parametrize("trace", _traces("fixed*.strace"))
def test_fixed_program_is_clean(trace: Path) -> None:
    findings = _read(trace).findings
    assert [finding.name for finding in findings if finding.severity is not Severity.NOTE] == []
    assert trace.parent.name not in [finding.name for finding in findings]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_sample_is_complete(folder: Path) -> None:
    assert find_rule(folder.name).name == folder.name
    assert (folder / "record.sh").stat().st_mode & 0o100
    for twin in ("bug", "fixed"):
        assert any((folder / f"{twin}.{language}").exists() for language in ("c", "py"))
        assert (folder / f"{twin}.strace").exists()
        assert (folder / f"{twin}.f.strace").exists()

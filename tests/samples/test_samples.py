"""Every sample is diagnosed: the rule of its folder finds the bug, and the repaired twin is clean."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample_reports import SAMPLES, named, report_of

from tracediag.results.findings import Severity
from tracediag.rules import find_rule

FOLDERS = sorted(trace.parent for trace in SAMPLES.glob("*/bug.strace"))


def names_in(trace: Path) -> list[str]:
    return [finding.name for finding in report_of(trace).findings]


def test_each_line_is_understood(samples: tuple[Path, ...]) -> None:
    inputs = {named(trace): report_of(trace).input for trace in samples}
    assert {name: of.samples for name, of in inputs.items() if of.not_understood} == {}
    assert [named(trace) for trace in samples if trace.parent in FOLDERS and not report_of(trace).input.calls] == []


def test_bug_is_named_by_its_rule(samples: tuple[Path, ...]) -> None:
    found = {trace: names_in(trace) for trace in samples if trace.name.startswith("bug")}
    unnamed = {named(trace): names for trace, names in found.items() if not is_named(trace.parent.name, names[:2])}
    assert unnamed == {}


def is_named(rule: str, names: list[str]) -> bool:
    """Whether a rule is among these, or has found what one of these pages gives its name to."""
    return rule in (*names, *(find_rule(name).found_by for name in names))


def test_fixed_program_is_clean(samples: tuple[Path, ...]) -> None:
    fixed = [trace for trace in samples if trace.name.startswith("fixed")]
    loud = [
        (named(trace), finding.name)
        for trace in fixed
        for finding in report_of(trace).findings
        if finding.severity is not Severity.NOTE
    ]
    assert loud == []
    assert [named(trace) for trace in fixed if trace.parent.name in names_in(trace)] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_sample_is_complete(folder: Path) -> None:
    assert find_rule(folder.name).name == folder.name
    assert (folder / "record.sh").stat().st_mode & 0o100
    for twin in ("bug", "fixed"):
        assert any((folder / f"{twin}.{language}").exists() for language in ("c", "py"))
        assert (folder / f"{twin}.strace").exists()
        assert (folder / f"{twin}.f.strace").exists()

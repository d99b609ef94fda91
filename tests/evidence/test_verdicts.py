"""Which process caused a bad end, and how much its failure matters."""

from __future__ import annotations

from pathlib import Path

from tracediag import analyze
from tracediag.results.findings import Severity

RECORDED = Path(__file__).parent / "recorded"


def lines_of(name: str) -> list[str]:
    return (RECORDED / f"{name}.strace").read_text().splitlines(keepends=True)


def test_a_helper_that_fails_after_its_server_ended_well_is_only_noted() -> None:
    found = analyze(lines_of("outliving")).findings
    assert [(one.name, one.severity) for one in found] == [("connection-refused", Severity.NOTE)]


def test_a_helper_fails_as_badly_as_the_server_before_it() -> None:
    failing = [line.replace("+++ exited with 0 +++", "+++ exited with 1 +++") for line in lines_of("outliving")]
    found = analyze(failing).findings
    assert [(one.name, one.severity) for one in found] == [("connection-refused", Severity.ERROR)]


def test_the_process_that_ends_the_trace_is_the_head_of_a_filtered_one() -> None:
    lines = [line for line in lines_of("trying") if not line.startswith("32461 +++")]  # a sleep without its end
    found = analyze(lines).findings
    assert [(one.name, one.severity) for one in found] == [("no-space", Severity.NOTE)]

"""Recordings with stacks (`strace -k`): each step names the function whose source makes the call."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracediag import analyze, open_trace
from tracediag.report.base import Look
from tracediag.report.explanation import picture
from tracediag.results.stacks import own_frames

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
TRUTH = {
    "crashed": ["main", "main", ""],
    "event-after-close": [
        "connect_side < main",
        "main",
        "forward < main",
        "drop < forward < main",
        "forward < main",
    ],
    "write-error-ignored": ["save_report < main", "save_report < main", ""],
}
"""The functions of each step of the first finding, read in the source of the sample."""


@pytest.mark.parametrize("name", TRUTH)
def test_each_step_names_the_function_that_makes_the_call(name: str) -> None:
    report = analyze(SAMPLES / "stacks" / f"{name}.strace")
    assert report.findings[0].name == name
    named = [" < ".join(frame.symbol for frame in own_frames(step.stack)) for step in report.findings[0].steps]
    assert named == TRUTH[name]


@pytest.mark.parametrize("name", TRUTH)
def test_the_functions_are_those_of_the_source(name: str) -> None:
    source = SAMPLES.joinpath(name, "bug.c").read_text(encoding="utf-8")
    for function in {each for step in TRUTH[name] for each in step.split(" < ") if each}:
        assert re.search(rf"^\w.*\b{function}\(", source, re.MULTILINE)


@pytest.mark.parametrize("name", TRUTH)
def test_stacks_change_no_finding(name: str) -> None:
    with_stacks, without = (analyze(SAMPLES / path) for path in (f"stacks/{name}.strace", f"{name}/bug.strace"))
    assert [finding.fingerprint for finding in with_stacks.findings] == [each.fingerprint for each in without.findings]
    assert len(with_stacks.ending) == len(without.ending) == 1


def test_an_explained_call_tells_where_it_is_made() -> None:
    explanation = open_trace(SAMPLES / "stacks" / "event-after-close.strace").explain(340)
    assert [frame.symbol for frame in own_frames(explanation.stack)] == ["forward", "main"]
    assert "\n  where    forward+0x33 < main+0xbe\n" in picture(explanation, Look())

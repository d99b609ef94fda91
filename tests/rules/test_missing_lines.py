"""Findings in recordings that lack a line: a missing birth costs one step of confidence, not the finding."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracediag.api import analyze

SAMPLES = Path(__file__).parents[2] / "samples"


def findings(lines: list[str]) -> list[str]:
    return [f"{finding.name} {finding.confidence}" for finding in analyze(lines).findings]


@pytest.mark.parametrize(
    ("sample", "birth"),
    [
        ("leaked-into-exec/bug.f", "socket(AF_INET"),
        ("leaked-into-exec/bug-lock", '"job.lock"'),
        ("mapping-truncated/bug.f", "mmap(NULL, 32768, PROT_READ|PROT_WRITE, MAP_SHARED"),
        ("number-reused-under-user/bug-socket.f", "socketpair("),
    ],
)
def test_all_before_the_second_step_is_cut_off(sample: str, birth: str) -> None:
    lines = (SAMPLES / f"{sample}.strace").read_text().splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if birth in line)
    name = sample.partition("/")[0]
    assert f"{name} certain" in findings(lines)
    assert f"{name} likely" in findings(lines[first + 1 :])


def test_an_unseen_flag_alone_is_no_leak() -> None:
    """The child runs another program while a descriptor is open of which the trace does not show FD_CLOEXEC."""
    lines = (SAMPLES / "leaked-into-exec/bug.f.strace").read_text().splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if "socket(AF_INET" in line)
    last = next(number for number, line in enumerate(lines) if "EADDRINUSE" in line)
    assert not [found for found in findings(lines[first + 1 : last]) if found.startswith("leaked")]


def test_a_start_with_all_mappings_needs_the_mapping() -> None:
    """The trace shows all calls from the start: a truncation of a file that is not mapped is not the cause."""
    lines = (SAMPLES / "mapping-truncated/bug.f.strace").read_text().splitlines(keepends=True)
    kept = [line for line in lines if "MAP_SHARED" not in line]
    assert not [found for found in findings(kept) if found.startswith("mapping")]


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        ("eagain-treated-as-error/bug", "eagain-treated-as-error likely"),
        ("interrupted-call-not-retried/bug", "interrupted-call-not-retried likely"),
        ("leaked-into-exec/bug-lock", "failed-call-behind-exit likely"),
        ("fsync-error-ignored/goes-on", "fsync-error-ignored likely"),
        ("shared-library-missing/bug-plugin", "shared-library-missing likely"),
    ],
)
def test_no_text_of_any_message_is_shown(sample: str, told: str) -> None:
    """`strace -s 0`: a message that follows a failure directly is taken for its report, with less confidence."""
    lines = (SAMPLES / f"{sample}.strace").read_text().splitlines(keepends=True)
    withheld = [re.sub(r'(write\(\d+(?:<[^"]*>)?, )"[^"]+"(?:\.\.\.)?', r'\1""...', line) for line in lines]
    assert told in findings(withheld)


def test_what_complains_before_its_child_fails_has_failed_first() -> None:
    lines = (SAMPLES / "eagain-treated-as-error/bug.strace").read_text().splitlines(keepends=True)
    withheld = [re.sub(r'(write\(2<[^"]*>, )"[^"]+"(?:\.\.\.)?', r'\1""...', line) for line in lines]
    assert withheld != lines
    assert not [found for found in findings(withheld) if found.startswith("child-failure-behind")]


def test_a_message_without_text_may_be_the_report() -> None:
    """The program reports the failed write; without the text of its message it is not known to ignore the failure."""
    lines = (SAMPLES / "write-error-ignored/fixed.strace").read_text().splitlines(keepends=True)
    withheld = [re.sub(r'"[^"]+"(?:\.\.\.)?, (\d+\) += \d)', r'""..., \1', line) for line in lines]
    assert withheld != lines
    assert "write-error-ignored certain" not in findings(withheld)


@pytest.mark.parametrize("sample", ["bug", "bug-shell"])
def test_a_wait_shows_who_the_parent_is(sample: str) -> None:
    """Without the clones, the status that a parent collects shows which child was its own."""
    lines = (SAMPLES / f"child-failure-behind/{sample}.f.strace").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not re.match(r"\d+ +(?:clone3?|vfork)\(|\d+ +<\.\.\. (?:clone3?|vfork) ", line)]
    assert len(kept) < len(lines)
    found = [found.partition(" ")[0] for found in findings(kept)]
    assert found.count("child-failure-behind") == found.count("missing-directory") == 1

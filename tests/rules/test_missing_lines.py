"""Findings in recordings that lack a line: a missing birth costs one step of confidence, not the finding."""

from __future__ import annotations

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

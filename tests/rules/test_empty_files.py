"""A file that is found empty, in a recording that begins after it was opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Confidence, Finding

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "empty-file-read"
LENGTH = "st_size=0"


def found_in(lines: Iterable[str]) -> list[Finding]:
    return [finding for finding in analyze(lines).findings if finding.name == "empty-file-read"]


def after_the_open(name: str) -> Sequence[str]:
    lines = (SAMPLE / name).read_text("utf-8").splitlines(keepends=True)
    opened = max(at for at, line in enumerate(lines) if '"app.json", O_RDONLY' in line)
    return lines[opened + 1 :]


@pytest.mark.parametrize(
    ("name", "title"),
    [("bug.strace", "/srv/tracediag/empty-file-read/app.json is empty"), ("bug.f.strace", "the file on fd 3 is empty")],
)
def test_the_length_shows_that_nothing_was_read_before_the_trace(name: str, title: str) -> None:
    (finding,) = found_in(after_the_open(name))
    assert finding.title.startswith(title)
    assert finding.confidence is Confidence.POSSIBLE
    assert LENGTH in finding.steps[0].text


@pytest.mark.parametrize("name", ["bug.strace", "bug.f.strace"])
def test_without_the_length_the_end_of_a_file_is_no_empty_file(name: str) -> None:
    lines = after_the_open(name)
    assert not found_in(line for line in lines if LENGTH not in line)
    assert not found_in(line.replace(LENGTH, "st_size=40") for line in lines)

"""A listener on loopback, in a recording that begins after its socket was bound."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Confidence

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "listens-on-loopback-only" / "bug.strace"


@pytest.mark.parametrize("noted", [True, False])
def test_the_note_of_the_listener_shows_its_address(*, noted: bool) -> None:
    lines = SAMPLE.read_text("utf-8").splitlines(keepends=True)
    bound = next(at for at, line in enumerate(lines) if " bind(" in line)
    left = [line if noted else line.replace("<TCP:[127.0.0.1:8088]>", "") for line in lines[bound + 1 :]]
    found = [finding for finding in analyze(left).findings if finding.name == "listens-on-loopback-only"]
    assert [finding.confidence for finding in found] == ([Confidence.LIKELY] if noted else [])
    assert all(" listen(" in f" {finding.steps[0].text}" for finding in found)

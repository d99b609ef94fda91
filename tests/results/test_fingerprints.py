"""A fault has one fingerprint, however it was recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag import analyze

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("write-after-peer-closed/bug", "write-after-peer-closed"),
        ("epipe-still-registered/bug", "write-after-peer-closed"),
        ("peer-reset/bug", "peer-reset"),
    ],
)
def test_a_recording_without_addresses_gives_the_same(name: str, rule: str) -> None:
    """Of two recordings of one program, one has `-yy` and so knows for sure which process has the other end."""
    found = [
        {each.fingerprint for each in analyze(SAMPLES / f"{name}{form}").findings if each.name == rule}
        for form in (".strace", ".f.strace")
    ]
    assert found[0]
    assert found[0] == found[1]

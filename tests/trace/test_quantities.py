"""Numbers formatted for people."""

from __future__ import annotations

import pytest

from tracediag.trace.quantities import count, every, plural, seconds, size


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "0"), (3e-6, "3 µs"), (1.25e-3, "1.25 ms"), (12.34, "12.3 s"), (1234.5, "1,234 s"), (0.9999, "1 s"),
        (0.0009996, "1 ms"), (5e-9, "5 ns"),
    ],
)  # fmt: skip
def test_times(time: float, text: str) -> None:
    assert seconds(time) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (512, "512 bytes"),
        (4096, "4,096 bytes"),
        (65536, "64 KiB"),
        (200000, "200,000 bytes"),
    ],
)  # fmt: skip
def test_sizes(number: int, text: str) -> None:
    assert size(number) == text


def test_counts() -> None:
    assert [count(999), count(1374)] == ["999", "1,374"]
    assert [plural(1, "call"), plural(0, "call"), plural(2000, "call")] == ["1 call", "0 calls", "2,000 calls"]


def test_every_of_two_is_both():
    assert [every(number) for number in (2, 3, 1000)] == ["both", "all 3", "all 1,000"]

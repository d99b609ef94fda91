"""Numbers formatted for people: counts with commas, sizes in bytes or KiB, times with their unit."""

from __future__ import annotations

from collections.abc import Sequence

from tracediag.trace import numbers

TIME = r"^[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|s|m|h)$"
"""The form of a time that a user writes: 500ms, 1.5s, 2m."""
_WRITTEN = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_KIB = 1024
_PAIR = 2
_IN_KIB = 10 * _KIB
"""Bytes from which a multiple of 1024 is shown in KiB."""


def count(number: int) -> str:
    """Return a count with commas: "1,374"."""
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """Return a count and its noun in singular or plural: "1 call", "2,000 calls"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(number: int) -> str:
    """Return a number of bytes: "1 byte", "65,000 bytes", "64 KiB"."""
    if number >= _IN_KIB and number % _KIB == 0:
        return f"{number // _KIB:,} KiB"
    return plural(number, "byte")


def seconds(number: float) -> str:
    """Return a time to three digits: "3 µs", "1.25 ms", "12.3 s"; from a thousand seconds on without a fraction."""
    for unit, name in _UNITS:
        if number >= 0.9995 * unit:
            value = number / unit
            return f"{value:,.0f} {name}" if value >= 999.5 else f"{value:.3g} {name}"
    return "0"


def every(number: int) -> str:
    """Return "both" for 2, else "all 3"."""
    return "both" if number == _PAIR else f"all {count(number)}"


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them: "a", "a and b", "a, b and c"."""
    return names[-1] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def in_seconds(text: str) -> float:
    """Return the seconds of a time as a user writes it: `TIME`. Raises `ValueError` for any other text."""
    digits = text.rstrip("hms")
    number, unit = numbers.seconds(digits), text[len(digits) :]
    if number is None or unit not in _WRITTEN:
        raise ValueError(f"{text!r} is no time such as 500ms, 5s, 2m or 1h")
    return number * _WRITTEN[unit]

"""Converts the digits in a trace to numbers. No other module does: a trace is untrusted input.

Python rejects decimal numbers of more than 4,300 digits, reads 310 digits as an infinite float, and accepts the digits
of every script. strace prints ASCII digits, at most 20 of them for 64 bits; anything longer is not a number.
"""

from __future__ import annotations

import re

MOST_DIGITS = 64
"""More than any number that strace prints: 20 decimal digits, or 32 hexadecimal ones of a 128-bit value."""

_DECIMAL = re.compile(rf"-?[0-9]{{1,{MOST_DIGITS}}}").fullmatch
_HEXADECIMAL = re.compile(rf"-?(?:0x)?[0-9a-fA-F]{{1,{MOST_DIGITS}}}").fullmatch
_SECONDS = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,64})?").fullmatch
_IDENTIFIER = re.compile(r"[0-9]{1,10}").fullmatch

checked_integer = int
"""The same as `integer`, without its check: only for a match of an expression that bounds its ASCII digits."""
checked_seconds = float
"""The same as `seconds`, without its check: only for a match of an expression that bounds its ASCII digits."""


def integer(text: str | None) -> int | None:
    """Return a decimal number; None for None, for more than `MOST_DIGITS` digits and for any other text."""
    return int(text) if text is not None and _DECIMAL(text) is not None else None


def hexadecimal(text: str | None) -> int | None:
    """Return a number in base 16, with or without `0x`; None for anything else."""
    return int(text, 16) if text is not None and _HEXADECIMAL(text) is not None else None


def identifier(text: str | None) -> int | None:
    """Return a pid or a descriptor, which the kernel keeps in 32 bits; None for anything else."""
    return int(text) if text is not None and _IDENTIFIER(text) is not None else None


def seconds(text: str | None) -> float | None:
    """Return a time or a duration in seconds, always finite; None for anything else."""
    return float(text) if text is not None and _SECONDS(text) is not None else None


class Numbers(dict[str, int | None]):
    """The numbers of short digit strings: a lookup takes a third of the time of a conversion.

    Only for digits that an expression has bounded. Bounded itself, because the digits come from the trace.
    """

    MOST = 1 << 12

    def __missing__(self, digits: str) -> int:
        if digits[1:2] == "x":  # an address: each is different
            return int(digits, 16)
        number = int(digits)
        if len(self) < self.MOST:
            self[digits] = number
        return number

"""Numbers on the command line."""

from __future__ import annotations

import argparse

from tracediag.trace.numbers import checked_integer

_DIGITS = 18


def number(text: str) -> int:
    """Return a number that is not negative; `ArgumentTypeError` for any other text: the words of argparse are odd."""
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number, 0 or more")
    return checked_integer(text)

"""TRACE:LINE on the command line: a trace and a line of it."""

from __future__ import annotations

import os
import re

from tracediag.commands.errors import UsageError
from tracediag.trace.numbers import integer
from tracediag.trace.patterns import lazy_pattern

_PLACE = lazy_pattern(r"(?P<trace>.+):(?P<line>[0-9][0-9,]{0,20})", re.DOTALL)


def split_place(text: str) -> tuple[str, int | None]:
    """Return the trace and the line of TRACE:LINE, as reports print it; None for a trace alone.

    A file whose name ends like a line number is a file. Raises `UsageError` for line 0.
    """
    found = _PLACE.fullmatch(text)
    if found is None or os.path.exists(text):  # noqa: PTH110 - Path.exists raises where a name is too long
        return text, None
    line = integer(found["line"].replace(",", ""))
    if not line:
        raise UsageError(f"{text}: lines are counted from 1")
    return found["trace"], line


def is_file(path: str) -> bool:
    """Whether a path names a regular file."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises where a name is too long

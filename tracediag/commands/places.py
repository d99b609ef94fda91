"""What the words of a command line mean: TRACE:LINE, and which of them is a trace."""

from __future__ import annotations

import os
import re
import shlex

from tracediag.commands.errors import UsageError
from tracediag.trace.numbers import integer
from tracediag.trace.patterns import lazy_pattern

_PLACE = lazy_pattern(r"(?P<trace>.+):(?P<line>[0-9][0-9,]{0,20})", re.DOTALL)


def split_place(text: str) -> tuple[str, int | None]:
    """Return the trace and the line of TRACE:LINE, as reports print it; None for a trace alone.

    A file whose name ends like a line number is a file. Raises `UsageError` for line 0, and for what is no line.
    """
    found = _PLACE.fullmatch(text)
    if os.path.exists(text):  # noqa: PTH110 - Path.exists raises where a name is too long
        return text, None
    if found is None:
        trace, colon, end = text.rpartition(":")
        if colon and is_trace(trace):
            raise UsageError(f"{text}: {end!r} is no line number; write {shlex.quote(f'{trace}:12')}")
        return text, None
    line = integer(found["line"].replace(",", ""))
    if not line:
        raise UsageError(f"{text}: lines are counted from 1")
    return found["trace"], line


def is_file(path: str) -> bool:
    """Whether a path names a regular file."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises where a name is too long


def is_trace(word: str) -> bool:
    """Whether a word can be read: a file, a pipe, standard input, or the prefix of the files of `strace -ff`."""
    if word == "-" or os.path.exists(word):  # noqa: PTH110
        return True
    from tracediag.reading.sets import members_of

    try:
        return bool(members_of(word))
    except (OSError, ValueError):
        return False


def check_trace(word: str) -> None:
    """Raise `UsageError` for TRACE:LINE where a command reads all of a trace."""
    found = _PLACE.fullmatch(word)
    if found is not None and not is_trace(word) and is_trace(found["trace"]):
        place, trace = shlex.quote(word), shlex.quote(found["trace"])
        raise UsageError(
            f"this command reads all of a trace: name it without a line, {trace}; "
            f"for that line: tracediag explain {place}, tracediag state {place}"
        )


def in_order(name: str, asked: str, traces: list[str]) -> tuple[str, list[str]]:
    """Return the words of a question and its traces, also where a trace was given first: `grep TRACE QUERY`.

    Args:
        name: what the words are: "QUERY".
        asked: the words, as the first argument gives them.
        traces: the other arguments.

    Raises:
        UsageError: if only a trace was given, or if the words may be several arguments for want of quotes.
    """
    strangers = [word for word in traces if not is_trace(word)]
    if not is_trace(asked):
        if strangers[:1] == traces[:1] and len(strangers) < len(traces) and not re.search(r"[./]", strangers[0]):
            raise UsageError(f"{name} is one argument: put it in quotes; {strangers[0]!r} is no trace")
        return asked, traces
    if len(strangers) != 1:
        return asked, traces
    return strangers[0], [asked, *(word for word in traces if word != strangers[0])]

"""Parses the result of a call: the text from `=` to the end of the record."""

from __future__ import annotations

import re

import msgspec

from tracediag.trace.errnos import find_errno
from tracediag.trace.numbers import hexadecimal, integer, seconds
from tracediag.trace.patterns import lazy_pattern

_PLAIN = r'(?>[^<>"\\\-]++|\\[^>]?|->?|(?<=[,@ ])"(?>[^"\\]++|\\.)*+"|")*+'
ANNOTATION = rf"<(?![=<. ]){_PLAIN}(?><[^<>]*+>{_PLAIN}){{0,2}}+>"
"""The note that `-y` and `-yy` print after a descriptor: may hold `->`, quoted paths and `<>` inside."""

_NAME = r"E[A-Z0-9][A-Z0-9_]++(?![a-z])"
_BALANCED = r"(?>[^()]++|\((?>[^()]++|\([^()]*+\))*+\))*+"
_TAIL = lazy_pattern(
    rf"""=[ \t]*+
    (?:(?P<hex>0x[0-9a-fA-F]++)|(?P<decimal>-?\d++)|(?P<unknown>\?|<unavailable>|…|\.{(3,)})|-?(?P<bare>{_NAME}))
    (?!\])
    (?><(?P<note>{ANNOTATION[1:-1]})>(?>\(deleted\))?+|<(?P<cutnote>/[^<>]*+)$)?+
    (?>[ ]\[(?!{_NAME}\])[^\[\] ()]++\])?+
    (?>[ \t]*+\(?(?>errno[ =]|E[Rr][Rr]\#)(?P<number>\d++)\)?(?>[ \t]*+\((?P<said>{_BALANCED})(?:\)|$))?+
      |[ \t]*+[(\[](?P<only>{_NAME})[)\]]
      |[ \t]++(?P<errno>{_NAME})(?>[ \t]*+\((?P<error>{_BALANCED})(?:\)|$))?+
      |[ \t]*+\((?!INJECTED|DELAYED)(?P<detail>{_BALANCED})\)
      |[ \t]*+\((?!INJECTED|DELAYED)(?P<cut>(?:in|out|left|flags)\b.*+|\[.*+)$)?+
    (?>[ \t]*+\((?:INJECTED|DELAYED)[^()]*+\))*+
    (?>[ \t]*+<(?P<duration>\d++(?:\.\d++)?)>)?+
    """,
    re.VERBOSE,
)


class Result(msgspec.Struct):
    """What a call returned, in the terms of `Syscall`."""

    value: int | None = None
    errno: str | None = None
    detail: str = ""
    duration: float | None = None
    end: int = 0
    """Where strace's own text ends; any text after it is foreign."""
    closer: str = ""
    """The character that ends the text after the value on the next line, if this line breaks off in it: ")" or ">"."""


def read_result(tail: str) -> Result | None:
    """Parse a tail from its `=` on; None if it does not begin like a result."""
    match = _TAIL.match(tail)
    if match is None:
        return None
    found = Result(end=match.end())
    decimal, pointer = match["decimal"], match["hex"]
    if decimal is not None:
        found.value = integer(decimal)
    elif pointer is not None:
        found.value = hexadecimal(pointer)
    found.errno = _errno(match)
    if found.errno is not None and match["unknown"] is None:
        found.value = -1  # `= -9 EBADF`, `= EBADF`: retyped, or of another program
    elif match["bare"] is not None:
        return None
    found.detail = match["error"] or match["said"] or match["detail"] or match["cut"] or match["note"] or ""
    found.duration = seconds(match["duration"])
    if match["cutnote"] is not None:
        found.closer = ">"
    elif match["cut"] is not None or _cut_error(match, tail):
        found.closer = ")"
    return found


def _errno(match: re.Match[str]) -> str | None:
    """Return the error by its name or number; a truncated line may end in half a name, which is none."""
    if (number := match["number"]) is not None:
        known = find_errno(integer(number) or 0)
        return number if known is None else known.name
    code = match["errno"] or match["only"] or match["bare"]
    if code is None or match["error"] is not None or find_errno(code) is not None:
        return code
    return None


def _cut_error(match: re.Match[str], tail: str) -> bool:
    if match["error"] is None:
        return match["errno"] is not None
    return not tail.startswith(")", match.end("error"))

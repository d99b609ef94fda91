"""Parses the result of a call: the text from `=` to the end of the record."""

from __future__ import annotations

import errno
import re

import msgspec

from tracediag.trace.numbers import hexadecimal, integer, seconds

_PLAIN = r'(?>[^<>"\\\-]++|\\[^>]?|->?|(?<=[,@ ])"(?>[^"\\]++|\\.)*+"|")*+'
ANNOTATION = rf"<(?![=<. ]){_PLAIN}(?><[^<>]*+>{_PLAIN}){{0,2}}+>"
"""The note that `-y` and `-yy` print after a descriptor: may hold `->`, quoted paths and `<>` inside."""

_BALANCED = r"(?>[^()]++|\((?>[^()]++|\([^()]*+\))*+\))*+"
_TAIL = re.compile(
    rf"""=[ \t]*+
    (?:(?P<hex>0x[0-9a-fA-F]++)|(?P<decimal>-?\d++)|(?P<unknown>\?|<unavailable>|…|\.{(3,)}))
    (?><(?P<note>{ANNOTATION[1:-1]})>(?>\(deleted\))?+)?+
    (?>[ ]\[[^\[\] ()]++\])?+
    (?>[ \t]*+\(errno[ ](?P<number>\d++)\)
      |[ \t]++(?P<errno>E[A-Z][A-Z0-9_]++)(?>[ \t]*+\((?P<error>{_BALANCED})(?:\)|$))?+
      |[ \t]*+\((?!INJECTED|DELAYED)(?P<detail>{_BALANCED})\)
      |[ \t]*+\((?!INJECTED|DELAYED)(?P<cut>(?:in|out|left|flags)\b.*+|\[.*+)$)?+
    (?>[ \t]*+\((?:INJECTED|DELAYED)[^()]*+\))*+
    (?>[ \t]*+<(?P<duration>\d++(?:\.\d++)?)>)?+
    """,
    re.VERBOSE,
)


_ERRNOS = frozenset(errno.errorcode.values()) | {
    "ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND", "ERESTART_RESTARTBLOCK", "ENOTSUPP", "ENOIOCTLCMD",
}  # fmt: skip
"""Names accepted without the text after them; a truncated line may end in half a name."""


class Result(msgspec.Struct):
    """What a call returned, in the terms of `Syscall`."""

    value: int | None = None
    errno: str | None = None
    detail: str = ""
    duration: float | None = None
    end: int = 0
    """Where strace's own text ends; any text after it is foreign."""
    closed: bool = True
    """False if the text in parentheses continues on the next line."""


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
    if (code := match["errno"]) is not None:
        found.errno = code if match["error"] is not None or code in _ERRNOS else None
    elif (number := match["number"]) is not None:
        found.errno = errno.errorcode.get(integer(number) or 0, number)
    found.detail = match["error"] or match["detail"] or match["cut"] or match["note"] or ""
    found.duration = seconds(match["duration"])
    found.closed = match["cut"] is None and not _cut_error(match, tail)
    return found


def _cut_error(match: re.Match[str], tail: str) -> bool:
    if match["error"] is None:
        return match["errno"] is not None
    return not tail.startswith(")", match.end("error"))

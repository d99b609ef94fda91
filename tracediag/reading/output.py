"""The traced program's own output, if it went to the same terminal or file as the trace."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tracediag.reading.halves import Half
from tracediag.reading.said import filled, readings
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern

LONGEST = 1 << 13
"""Only this much of a line is compared."""
WRITERS = frozenset(("write", "writev", "pwrite", "pwrite64", "send", "sendto", "sendmsg"))
"""Calls whose data may appear in the middle of the trace."""

_ENOUGH = 8
"""Characters of data that are recognised within other text."""
_SHOWN = lazy_pattern(
    r"(?:\bp?write\w*|\bsend\w*)\(\d[^\"]{0,200}?\"(?P<text>(?>[^\"\\]++|\\.)*+)\"(?P<cut>(?:\.\.\.)?)"
)
_FIRST = lazy_pattern(
    r"(?P<fd>\d+(?:<[^<>]*+(?:<[^<>]*+>)?>)?), \"(?P<text>(?>[^\"\\]++|\\.)*+)\"(?P<cut>(?:\.\.\.)?), ?"
)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\r": "\\r", "\v": "\\v", "\f": "\\f"}
_OCTAL = lazy_pattern(r"\\(?:[0-7]{1,3}|x[0-9a-f]{2}|.)")


def escaped(text: str) -> str:
    """Quote a text as strace does in its default string format."""
    if text.isascii() and text.isprintable() and not ("\\" in text or '"' in text):
        return text
    out = []
    for byte in text.encode("utf-8", "surrogateescape"):
        char = chr(byte)
        out.append(_ESCAPES.get(char) or (char if " " <= char <= "~" else f"\\{byte:o}"))
    return "".join(out)


def is_output(line: str, neighbours: Iterable[str]) -> bool:
    """Return whether a line is data that a call near it wrote."""
    shown = escaped(line[:LONGEST].rstrip("\r"))
    if not shown:
        return False
    for near in neighbours:
        if '"' not in near or (found := _SHOWN.search(near[:2000])) is None:
            continue
        parts = found["text"].split("\\n")
        if shown in parts and (shown != parts[-1] or not found["cut"]):
            return True
        if found["cut"] and parts[-1] and shown.startswith(parts[-1]):
            return True
    return False


def spoken(body: str, halves: Iterable[Half]) -> tuple[Half, str] | None:
    """Return the write that another thread is inside of and whose data ends a call's arguments, and that data."""
    for half in halves:
        if half.name in WRITERS and (found := _FIRST.match(half.body + ",")) is not None:
            shown, *more = found["text"].split("\\n")
            if found["cut"] and not more and len(shown) >= _ENOUGH and (at := body.find(shown)) > 0:
                return half, body[at:]
            if shown and body.endswith(shown):
                return half, shown
    return None


def without_output(name: str, body: str, result: int | None = None) -> str:
    """Remove a program's output from the end of the arguments of its write: `2, "ls: ", 4ls: ` ends at 4.

    Where strace cut the data and the output is all of it, the output takes its place.

    Args:
        name: the call.
        body: its arguments.
        result: what it returned: it tells the size from a digit that the program wrote, where both are possible.
    """
    if name not in WRITERS:
        return body
    found = _FIRST.match(body)
    if found is None:
        vector = next(readings(body), None)
        return body if vector is None else filled(body) or vector.arguments
    digits = re.compile(r"[0-9]{1,20}+").match(body, found.end())
    if digits is None:
        return body
    size = len(_OCTAL.sub("x", found["text"]))
    shown = found["text"].split("\\n")[0]
    last = body
    for end in range(found.end() + 1, digits.end() + 1):
        rest = escaped(body[end:])
        if rest.startswith(","):  # send and its variants have more arguments
            return body
        count = checked_integer(body[found.end() : end])
        # Data that begins with a line break adds nothing to this line: all its digits belong to the size.
        printed = not rest or (bool(shown) and rest.startswith(shown.rstrip(" ")))
        if printed and (count > size if found["cut"] else count == size):
            last = body[:end]
            if count == result:
                break
    return filled(body) or last if found["cut"] and last is not body else last

"""Records that were broken over several lines: by a terminal, by a mail program, or by the encoding of mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from tracediag.reading.frame import read_frame
from tracediag.reading.margins.starts import head_of, is_prefix, is_start
from tracediag.reading.margins.undoing import CONTINUED, Joining, Undoing
from tracediag.reading.result import read_result
from tracediag.trace.patterns import lazy_pattern

MOST_JOINED = 256
LONGEST = 1 << 15
"""A record of more lines or characters is not joined further: each line looks at all before it."""
NARROWEST = 40
WIDEST = 400
WIDTHS = range(60, 133)
"""Widths at which mail programs break lines between words."""
_USUAL = frozenset({72, 76, 78, 80, 100, 120, 132})
"""Widths of terminals and mail programs: of these, one broken line is enough."""
SHARE = 0.8
_HEX = lazy_pattern(r"(?:=[0-9A-F]{2})+")
_EQUALS = lazy_pattern(r"\)\s*+=3D (?:-?[0-9]|\?|0x)")
_RESULT = lazy_pattern(r"\) += (?:-?[0-9]|\?)")
_CUT = lazy_pattern(r"(?:x?[0-9a-f]{1,20}| ?E[A-Z0-9]+ \(.*\)| ?\(.*\))?(?: ?<[0-9.]+>)?$")
"""The rest of a result, if the line was broken inside the number or directly after it."""
_DETAIL = lazy_pattern(r"(?:E[A-Z0-9]+ )?\(.*\)(?: <[0-9.]+>)?$|<[0-9.]+>$")
"""What may follow the number of a result on a line of its own."""


def find_quoted_printable(lines: list[str]) -> Undoing | None:
    """Find mail in quoted-printable: every `=` is `=3D` there, that before the result too, which a break may divide."""
    text = "\n".join(lines).replace("=\n", "")
    if _EQUALS.search(text) is None or _RESULT.search(text) is not None:
        return None
    return Joining(_quoted_printable)


def _quoted_printable(line: str) -> tuple[tuple[str, bool]]:
    soft = line.endswith("=")
    text = _HEX.sub(_decoded, line[:-1] if soft else line)
    return ((text, soft),)


def _decoded(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("=", "")).decode("utf-8", "replace").replace("\xa0", " ")


def find_hard_wraps(lines: list[str]) -> Undoing | None:
    """Find the width at which a terminal broke the lines."""
    width = max(map(len, lines), default=0)
    if not NARROWEST <= width <= WIDEST:
        return None
    breaks = [len(line) for line, _ in (*_breaks(lines), *_before_details(lines, " "))]
    at_width = sum(length == width for length in breaks)
    full = sum(length >= width - 1 for length in breaks)
    alone = width in _USUAL and at_width == len(breaks) == 1
    return Wrapped(width) if alone or (at_width > 1 and 2 * full >= len(breaks)) else None


def find_soft_wraps(lines: list[str]) -> Undoing | None:
    """Find the width at which a mail program broke the lines, between words."""
    details = list(_before_details(lines, ""))
    breaks = [*_breaks(lines), *details]
    if len(breaks) < 2 and not details:
        return None
    count, _, width = max((sum(_fills(*lines, width) for lines in breaks), width in _USUAL, width) for width in WIDTHS)
    return Wrapped(width, soft=True) if count >= SHARE * len(breaks) else None


def _breaks(lines: list[str]) -> list[tuple[str, str]]:
    """Return the lines that begin a record and do not end it, each with the next."""
    return [
        (line, after)
        for line, after in pairwise(lines)
        if after and not is_start(after) and (is_start(line) or is_prefix(line)) and _is_open(line)
    ]


def _before_details(lines: list[str], blank: str) -> Iterator[tuple[str, str]]:
    """Yield the lines that end with `= -1` and whose error stands on the next line, each with that.

    `blank` is what stands before the error there: a terminal keeps the blank, a mail program drops it.
    """
    for line, after in pairwise(lines):
        error = after.removeprefix(blank) if after.startswith(blank) else ""
        if line.endswith("= -1") and _DETAIL.match(error) is not None and is_start(line):
            yield line, after


def _fills(line: str, after: str, width: int) -> bool:
    """Return whether the first word of the next line had no room on this one."""
    word = len(after.lstrip().partition(" ")[0])
    return len(line) <= width < len(line) + 1 + word


def _is_open(text: str) -> bool:
    """Return whether a text is the first part of a record."""
    head = head_of(text)
    if head is None:
        return is_prefix(text)
    frame = read_frame(text[head.start :])
    if frame is None or frame.kind in ("open", "open rest", "resultless"):
        return frame is not None
    if frame.kind == "record":
        return text[head.start : head.start + 3] in ("---", "+++") and text[-3:] not in ("---", "+++")
    result = read_result(frame.tail)
    return result is not None and (bool(result.closer) or result.end < len(frame.tail.rstrip()))


class Wrapped:
    """Joins the lines that were broken at a width."""

    def __init__(self, width: int, *, soft: bool = False) -> None:
        """Take the last column of the lines; with `soft`, blanks were lost where they were broken."""
        self._width = width
        self._soft = soft
        self._held: list[str] = []
        self._text = ""

    def lines(self, lines: list[str]) -> list[str]:
        """Return the lines joined; a record stands at its first line."""
        out: list[str] = []
        for line in lines:
            if self._held and not self._goes_on(line):
                out += self.rest()
            if self._soft:
                self._text = f"{self._text} {line.lstrip()}" if self._held else line
            else:
                self._text = self._text.ljust(len(self._held) * self._width) + line
            self._held.append(line)
            if (
                (not self._soft and len(line) < self._width - 2)
                or len(self._held) >= MOST_JOINED
                or len(self._text) > LONGEST
            ):
                out += self.rest()
        return out

    def rest(self) -> list[str]:
        """Return the lines held, joined."""
        count, text = len(self._held), self._text
        self._held, self._text = [], ""
        return [text, *[CONTINUED] * (count - 1)] if count else []

    def _goes_on(self, line: str) -> bool:
        """Return whether a line continues the text held."""
        if is_prefix(self._text):
            return True
        if not line or is_start(line) or (self._soft and not _fills(self._held[-1], line, self._width)):
            return False
        if _is_open(self._text):
            return True
        if self._soft:
            return not is_prefix(line) and _DETAIL.match(line) is not None
        return _CUT.match(line) is not None  # a line of less than the width was not broken: a bare number is no pid

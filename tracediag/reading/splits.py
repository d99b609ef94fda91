"""A call that breaks off at the end of its line, and the following lines that may belong to it.

This happens when a program writes to the terminal that strace prints to, when strace prints a message in the middle
of a call, and when a mail program wraps lines. The lines are held back until it is clear what they are.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from tracediag.reading.frame import Frame, split_end, split_mark
from tracediag.reading.halves import Place
from tracediag.reading.output import WRITERS, without_output
from tracediag.trace.events import Elision, Record

MOST_HELD = 64
LONGEST = 1 << 16

_TIGHT_END = re.compile(r"[|([{ \"]$")
_TIGHT_START = re.compile(r"[|)\]}, ]")


class Held(msgspec.Struct):
    """A line that may belong to the call above it."""

    line: int
    text: str
    record: Record | None


class Joined(msgspec.Struct):
    """The call joined with the lines after it."""

    how: Literal["ended", "marked"]
    body: str
    tail: str = ""
    wrapped: bool = False
    """True if the lines held back are part of the call, False if they are something else."""


class Split(msgspec.Struct):
    """One call that breaks off."""

    place: Place
    frame: Frame
    text: str
    """The text after the opening parenthesis, or after `resumed>`."""
    unwrapped: str
    """The same text with the lines held back appended, in case they belong to it."""
    cleaned: bool = False
    """Whether the line needed cleaning: then the following lines do as well."""
    held: list[Held] = []

    def hold(self, line: int, text: str, record: Record | None) -> bool:
        """Hold a line back; False if the limit is reached."""
        if len(self.held) >= MOST_HELD or len(self.unwrapped) > LONGEST:
            return False
        self.held.append(Held(line, text, record))
        if record is None or isinstance(record, Elision):
            self.unwrapped = _glued(self.unwrapped, text.strip())
        return True

    def join(self, text: str) -> Joined | None:
        """Append a line to the call; None if it does not complete the call."""
        if "=" not in text and "...>" not in text and "…" not in text:
            return None
        writes = self.frame.name in WRITERS
        wrapped = None
        if self.held and not writes and len(self.unwrapped) <= LONGEST:
            wrapped = self._try(self.unwrapped, text, wrapped=True)
        return wrapped or self._try(self.text, text, wrapped=False)

    def _try(self, before: str, text: str, *, wrapped: bool) -> Joined | None:
        for joined in dict.fromkeys((_glued(before, text.strip()), before + text)):
            if (marked := split_mark(joined)) is not None:
                return Joined("marked", marked[0], wrapped=wrapped)
            if (ended := split_end(joined)) is not None:
                return Joined("ended", ended[0], ended[1], wrapped=wrapped)
        return None


def start_split(place: Place, frame: Frame, *, cleaned: bool) -> Split:
    """Start a split with the first line of its call."""
    text = frame.body + ")" if frame.kind == "resultless" else without_output(frame.name, frame.body)
    return Split(place=place, frame=frame, text=text, unwrapped=text, cleaned=cleaned)


def _glued(before: str, after: str) -> str:
    """Undo a line break, which may have replaced a blank."""
    if not before or not after or _TIGHT_END.search(before) is not None or _TIGHT_START.match(after) is not None:
        return before + after
    return f"{before} {after}"

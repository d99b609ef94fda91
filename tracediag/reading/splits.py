"""A call that breaks off at the end of its line, and the following lines that may belong to it.

This happens when a program writes to the terminal that strace prints to, when strace prints a message in the middle
of a call, and when a mail program wraps lines. The lines are held back until it is clear what they are.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tracediag.reading.frame import Frame, split_end, split_mark
from tracediag.reading.halves import ENDLESS, Half, Place
from tracediag.reading.output import WRITERS, without_output
from tracediag.reading.said import filled, filled_by
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Elision, Record

MOST_HELD = 64
LONGEST = 1 << 16

_TIGHT_END = lazy_pattern(r"[|([{ \"]$")
_TIGHT_START = lazy_pattern(r"[|)\]}, ]")


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
    blanks: str = ""
    """What ended the first line, which may be data of a write."""
    speaker: Half | None = None
    """The write of another thread whose data ends the first line."""
    shown: str = ""
    """That data."""
    held: list[Held] = []

    def hold(self, line: int, text: str, record: Record | None) -> bool:
        """Hold a line back; False if the limit is reached, or if the call ends with its parenthesis."""
        if self.ended or len(self.held) >= MOST_HELD or len(self.unwrapped) > LONGEST:
            return False
        self.held.append(Held(line, text, record))
        if record is None or isinstance(record, Elision):
            self.unwrapped = _glued(self.unwrapped, text.strip())
        return True

    def join(self, text: str) -> Joined | None:
        """Append a line to the call; None if it does not complete the call."""
        if "=" not in text and "...>" not in text and "…" not in text:
            return None
        writes = self.frame.name in WRITERS or self.speaker is not None
        wrapped = None
        if self.held and not writes and len(self.unwrapped) <= LONGEST:
            wrapped = self._try(self.unwrapped, text, wrapped=True)
        return wrapped or self._try(self.text, text, wrapped=False)

    @property
    def ended(self) -> bool:
        """Whether the call never returns and is complete: `qemu -strace` prints no `= ?` after an exit."""
        return self.frame.kind == "resultless" and self.frame.name in ENDLESS

    def fill(self, line: str, joined: Joined) -> bool:
        """Put the data that stands in these lines, the last of them `line`, into the write it belongs to.

        The write is this call, or another thread's. Return False if the lines are something else.
        """
        if joined.wrapped or self.cleaned or self.frame.kind != "open":
            return False
        said = (*(held.text for held in self.held), _before_end(line, joined.tail))
        if self.speaker is not None:
            whole = filled_by(self.speaker.body, (self.shown + self.blanks, *said))
            self.speaker.body = whole or self.speaker.body
        elif self.frame.name in WRITERS and "..." in self.text:
            whole = filled("\n".join((self.frame.body + self.blanks, *said)))
            joined.body = whole or joined.body
        else:
            return False
        return whole is not None

    def _try(self, before: str, text: str, *, wrapped: bool) -> Joined | None:
        for joined in dict.fromkeys((_glued(before, text.strip()), before + text)):
            if (marked := split_mark(joined)) is not None:
                return Joined("marked", marked[0], wrapped=wrapped)
            ended = split_end(joined)
            if ended is not None and (self.frame.name not in ENDLESS or ended[1].startswith("= ?")):
                return Joined("ended", ended[0], ended[1], wrapped=wrapped)
        return None


def start_split(place: Place, frame: Frame, blanks: str, *, cleaned: bool) -> Split:
    """Start a split with the first line of its call, which ends with these blanks."""
    text = frame.body + ")" if frame.kind == "resultless" else without_output(frame.name, frame.body)
    return Split(place=place, frame=frame, text=text, unwrapped=text, cleaned=cleaned, blanks=blanks)


def _before_end(line: str, tail: str) -> str:
    """Return what stands on the last line of a call before its end or mark: the last of the data."""
    line = line.rstrip()
    if not tail:
        return line[: line.rfind("<")].removesuffix(" ")
    return line[: len(line) - len(tail)].rstrip().removesuffix(")")


def _glued(before: str, after: str) -> str:
    """Undo a line break, which may have replaced a blank."""
    if not before or not after or _TIGHT_END.search(before) is not None or _TIGHT_START.match(after) is not None:
        return before + after
    return f"{before} {after}"

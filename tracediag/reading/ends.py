"""Reads how a call ended, from the text behind its arguments: the result, the error, a note, the time it took.

A program repeats few results, and few durations in microseconds: three of four such texts have been read before. So the
latest thousands are remembered.
"""

from __future__ import annotations

import re

from tracediag.reading.header import END, TAIL
from tracediag.trace.numbers import Numbers, checked_seconds

End = tuple[int | None, str | None, str, str, float | None]
"""The result (None for `?`), the errno, the text from `=` on, what it says of the result (the text of an error, a note,
a detail), and the duration in seconds."""

_TIMES = re.compile(r"[0-9]{1,20}+(?:\.[0-9]{1,64}+)?>").fullmatch
_MOST = 1 << 12
"""Texts that are remembered; they come from the trace."""


class Ends(dict[str, End | None]):
    """What each text after `= ` up to the end of a line says; None if it has none of the common forms."""

    def __init__(self) -> None:
        """Start without any text."""
        self._results = Numbers({"?": None})
        self._untimed: dict[str, End | None] = {}
        """The same for the texts in front of durations: that the call took 0.000057 s is new more often than its result
        is."""

    def __missing__(self, said: str) -> End | None:
        before, mark, took = said.rpartition(" <")
        known = self._untimed.get(before)
        end: End | None
        if known is not None and _TIMES(took):
            end = (known[0], known[1], f"= {said}", known[3], checked_seconds(took[:-1]))
        else:
            end = self._match(said)
            if mark and end is not None and end[4] is not None:
                if len(self._untimed) >= _MOST:
                    self._untimed.clear()
                self._untimed[before] = end
        if len(self) >= _MOST:
            self.clear()
        self[said] = end
        return end

    def _match(self, said: str) -> End | None:
        found = TAIL.match(said)
        if found is None:
            return None
        value, errno, text, note, detail, took = found.groups()
        duration = None if took is None else checked_seconds(took)
        return self._results[value], errno, f"= {said}", text or note or detail or "", duration

    def split(self, rest: str) -> tuple[str, End] | None:
        """Split the text after the head of a call into the arguments and the end, wherever another `= ` stands.

        None if it has none of the common forms.
        """
        found = END.match(rest)
        end = None if found is None else self[found[2]]
        return None if found is None or end is None else (found[1], end)


def aligned(rest: str) -> tuple[str, str, str]:
    """Split the text after the head of a short call at its `=`, before which strace prints blanks: see `-a`.

    Returns the arguments, the mark between, and the text after it, as str.rpartition does; "" thrice if there is none.
    """
    before, mark, said = rest.rpartition("= ")
    body = before.rstrip(" ")
    return (body[:-1], mark, said) if mark and len(body) < len(before) and body[-1:] == ")" else ("", "", "")

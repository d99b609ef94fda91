"""Line counts of a reading: every line is accounted for."""

from __future__ import annotations

from collections import deque

import msgspec

from tracediag.reading.foreign import calls_in, looks_like_call
from tracediag.trace.quantities import plural

SAMPLES = 5
HEARD = 64
_TOLERATED = 10
"""One line in so many may look like a call that was not read."""


class Counts(msgspec.Struct):
    """The lines read so far. The sum of `kinds` equals `lines` at the end of a batch and of the trace."""

    lines: int = 0
    calls: int = 0
    """Complete calls, joined ones counted once, including those that a name filter dropped."""
    signals: int = 0
    exits: int = 0
    not_understood: int = 0
    suspect: int = 0
    """Places in the text not understood that look like calls or halves of calls: one a line, or several."""
    open: int = 0
    """Calls that break off without a result or a mark."""
    opened: int = 0
    """The line of the last one."""
    rows: int = 0
    """Rows of a table of `strace -c`."""
    samples: list[tuple[int, str]] = []
    """The first lines that were not understood, with their numbers."""
    heard: deque[tuple[int, str]] = msgspec.field(default_factory=lambda: deque(maxlen=HEARD))
    """The last lines that are not strace's, with their numbers: beside a table of `strace -c` the program's own."""
    kinds: dict[str, int] = {}
    """Number of lines by kind: "call", "begun", "resumed", "signal", "blank", "not understood", ..."""

    def add(self, kind: str, lines: int = 1) -> None:
        """Count lines of a kind."""
        self.kinds[kind] = self.kinds.get(kind, 0) + lines

    def miss(self, line: int, text: str) -> None:
        """Count a line that was not understood."""
        self.add("not understood")
        self.not_understood += 1
        self.heard.append((line, text[:400]))
        self.suspect += max(calls_in(text), looks_like_call(text))
        if len(self.samples) < SAMPLES:
            self.samples.append((line, text[:400]))

    def crowd(self, text: str) -> None:
        """Count the calls in the text after a record, of which none was read."""
        if "(" in text:
            self.suspect += calls_in(text)

    def settle(self) -> None:
        """Count the lines beside a table of `strace -c` as output of the program, where there is no other record."""
        if self.rows and not self.calls and not self.kinds.get("begun"):
            missed = self.kinds.pop("not understood", 0)
            if missed:
                self.add("output", missed)
            self.not_understood, self.samples = 0, []
        else:
            self.heard.clear()

    def orphan(self) -> None:
        """Count the end of a call whose beginning was not read."""
        self.add("continuation")
        self.suspect += 1

    @property
    def doubt(self) -> str | None:
        """Why the findings may be wrong or missing, in one sentence; None where nearly all calls were read."""
        # The last line may break off: there the tracing or the copying ended.
        lost = self.suspect + self.open - bool(self.open and self.opened == self.lines)
        if lost * _TOLERATED > self.lines:
            if lost > self.lines:
                return f"{lost:,} places in {plural(self.lines, 'line')} look like calls that were not read"
            return f"{lost:,} of {plural(self.lines, 'line')} look like calls and were not read, or only in part"
        shown = self.kinds.get("begun") or self.kinds.get("stop")  # a thread that is stopped makes no call
        if not self.calls and not shown and self.lines and not self.rows:
            return "no line shows a call"
        return None

    @property
    def certain(self) -> int:
        """Lines that only strace writes, without calls that break off, which any text may hold."""
        return self.understood - self.open

    @property
    def understood(self) -> int:
        """Lines that only strace writes: calls and halves, signals, exits and similar."""
        return sum(self.kinds.get(kind, 0) for kind in OF_STRACE)


OF_STRACE = ("call", "begun", "resumed", "signal", "stop", "exit", "superseded", "notice", "summary", "frame")

"""Line counts of a reading: every line is accounted for."""

from __future__ import annotations

import msgspec

SAMPLES = 5


class Counts(msgspec.Struct):
    """The lines read so far. The sum of `kinds` equals `lines` at the end of a batch and of the trace."""

    lines: int = 0
    calls: int = 0
    """Complete calls, joined ones counted once, including those that a name filter dropped."""
    signals: int = 0
    exits: int = 0
    not_understood: int = 0
    samples: list[tuple[int, str]] = []
    """The first lines that were not understood, with their numbers."""
    kinds: dict[str, int] = {}
    """Number of lines by kind: "call", "begun", "resumed", "signal", "blank", "not understood", ..."""

    def add(self, kind: str, lines: int = 1) -> None:
        """Count lines of a kind."""
        self.kinds[kind] = self.kinds.get(kind, 0) + lines

    def miss(self, line: int, text: str) -> None:
        """Count a line that was not understood."""
        self.add("not understood")
        self.not_understood += 1
        if len(self.samples) < SAMPLES:
            self.samples.append((line, text[:400]))

    @property
    def understood(self) -> int:
        """Lines that only strace writes: calls and halves, signals, exits and similar."""
        return sum(self.kinds.get(kind, 0) for kind in OF_STRACE)


OF_STRACE = ("call", "begun", "resumed", "signal", "stop", "exit", "superseded", "notice", "summary", "frame")

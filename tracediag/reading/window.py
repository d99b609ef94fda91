"""The piece of the trace that is being read, and the lines around one of them."""

from __future__ import annotations

_AROUND = 40
"""Number of lines before and after a line that are searched for the call that wrote it."""


class Window:
    """The lines of one piece by their numbers in the file; rarely asked for, so split on demand."""

    def __init__(self) -> None:
        self._piece = ""
        self._lines: list[str] | None = None
        self._before = 0

    def move(self, piece: str, before: int) -> None:
        """Go to the next piece, in front of which `before` lines stand in the file."""
        self._piece, self._lines, self._before = piece, None, before

    def line(self, number: int) -> str:
        """Return a line of the piece."""
        return self._all()[number - self._before - 1]

    def near(self, number: int) -> list[str]:
        """Return the lines of the piece around one of them, by which program output is recognised."""
        at = number - self._before
        return self._all()[max(0, at - _AROUND) : max(0, at + _AROUND)]

    def _all(self) -> list[str]:
        if self._lines is None:
            self._lines = self._piece.split("\n")
        return self._lines

"""An undoing: lines in, lines out, of which later lines see only the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

CONTINUED = "\x1e"
"""Stands for a line whose text was joined to an earlier one, so that all lines keep their numbers."""
MOST_JOINED = 4096
LONGEST = 1 << 20
"""A record of more lines or characters than these is not joined further."""


class Undoing(Protocol):
    """Undoes one kind of damage in all lines of a trace."""

    def lines(self, lines: list[str]) -> list[str]:
        """Return the lines undone; the last ones may be held until the next call."""
        ...

    def rest(self) -> list[str]:
        """Return the lines held, and forget all that came before."""
        ...


Finder = Callable[[list[str]], Undoing | None]
"""Returns the undoing that the first lines of a trace call for; None if they do not show that damage."""


class Each:
    """Changes each line for itself."""

    def __init__(self, change: Callable[[str], str]) -> None:
        self._change = change

    def lines(self, lines: list[str]) -> list[str]:
        """Return the changed lines."""
        return [self._change(line) for line in lines]

    def rest(self) -> list[str]:
        """Return nothing: no line is held."""
        return []


class Joining:
    """Joins parts of records; a part says whether the next line continues it."""

    def __init__(self, parts: Callable[[str], Iterable[tuple[str, bool]]]) -> None:
        """`parts` returns the texts of a line, each with whether the next one continues it."""
        self._parts = parts
        self._held: list[str] = []
        self._size = 0

    def lines(self, lines: list[str]) -> list[str]:
        """Return the lines joined; a record stands at its first line."""
        out: list[str] = []
        for line in lines:
            for text, goes_on in self._parts(line):
                self._held.append(text)
                self._size += len(text)
                if not goes_on or len(self._held) >= MOST_JOINED or self._size >= LONGEST:
                    out += self.rest()
        return out

    def rest(self) -> list[str]:
        """Return the parts held, joined."""
        held, self._held, self._size = self._held, [], 0
        return ["".join(held), *[CONTINUED] * (len(held) - 1)] if held else []

"""Looks for words in what a program writes, across the pieces in which it writes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import msgspec

from tracediag.trace.events import Syscall

_LEAST = 8
"""Characters that must match where strace cut the string."""
_PIECES = 16
"""Writes that one message may take."""


class Match(msgspec.Struct, frozen=True):
    """Words that were found."""

    calls: tuple[Syscall, ...]
    """The calls that carry them, in order."""
    complete: bool
    length: int
    """How many characters of the words are shown."""


class Words:
    """The words that are looked for; case and the kind and number of blanks do not matter."""

    def __init__(self, words: str) -> None:
        self.wanted = plain(words)
        self._start = self.wanted[:_LEAST]

    def __bool__(self) -> bool:
        return bool(self.wanted)

    def in_text(self, text: str) -> bool:
        """Whether a text contains them."""
        return self.wanted in plain(text)

    def is_line(self, text: str) -> bool:
        """Whether they are a complete line of a text."""
        return any(plain(line) == self.wanted for line in text.splitlines())

    def begun_in(self, text: str) -> int:
        """Return how many characters of the words a text ends with, if it breaks off within them; else 0."""
        shown = plain(text)
        place = shown.find(self._start) if len(self._start) == _LEAST else -1
        while place >= 0:
            if self.wanted.startswith(shown[place:]):
                return len(shown) - place
            place = shown.find(self._start, place + 1)
        return 0


class Stream:
    """The last text that went through one descriptor."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._pieces: deque[tuple[str, Syscall]] = deque(maxlen=_PIECES)

    def take(self, text: str, cut: bool, call: Syscall) -> Match | None:
        """Add the text of a call; return the words if it completes them, or breaks off within them."""
        wanted = self._words
        if wanted.in_text(text):
            self._pieces.clear()
            return Match((call,), complete=True, length=len(wanted.wanted))
        self._pieces.append((text, call))
        joined = "".join(piece for piece, _ in self._pieces)
        if len(self._pieces) > 1 and wanted.in_text(joined):
            return self._shortest()
        if cut:
            self._pieces.clear()
            begun = wanted.begun_in(joined)
            return Match((call,), complete=False, length=begun) if begun else None
        self._trim(len(wanted.wanted))
        return None

    def _shortest(self) -> Match:
        """Return the fewest last pieces that hold the words."""
        pieces = list(self._pieces)
        while len(pieces) > 1 and self._words.in_text("".join(piece for piece, _ in pieces[1:])):
            del pieces[0]
        self._pieces.clear()
        return Match(tuple(call for _, call in pieces), complete=True, length=len(self._words.wanted))

    def _trim(self, most: int) -> None:
        """Drop what is too far back to be a part of the words."""
        kept = 0
        for place in range(len(self._pieces) - 1, -1, -1):
            kept += len(self._pieces[place][0])
            if kept > 2 * most:
                for _ in range(place):
                    self._pieces.popleft()
                return


def plain(text: str) -> str:
    """Return a text in lower case with single blanks."""
    return " ".join(text.casefold().split())


def lines_of(text: str) -> Iterator[str]:
    """Yield the lines of a text that have words."""
    return (line.strip() for line in text.splitlines() if len(line.strip()) >= _LEAST)

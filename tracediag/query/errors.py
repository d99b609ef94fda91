"""The error of a query: where it is, what is wrong there and what may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tracediag.errors import TracediagError


class QueryError(TracediagError, ValueError):
    """A query is not of the language, or compares what cannot be compared."""

    def __init__(self, text: str, place: int, message: str) -> None:
        """Set where the error is.

        Args:
            text: the query.
            place: the index in the text, from 0.
            message: what is wrong, in one line.
        """
        super().__init__(message)
        self.text = text
        self.message = message
        before = text[:place]
        self.line = before.count("\n") + 1
        """The line of the query, from 1."""
        self.column = place - (before.rfind("\n") + 1) + 1
        """The column in that line, from 1."""

    def __str__(self) -> str:
        """Return the place and the message in one line."""
        where = f"column {self.column}" if "\n" not in self.text.strip() else f"line {self.line}, column {self.column}"
        return f"{where}: {self.message}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean X?" for the most similar of the known words, or "" if none is similar."""
    by_lower = {each.lower(): each for each in known}
    alike = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[alike[0]]}?" if alike else ""

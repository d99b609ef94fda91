"""The head of a page: what it matches, in the language of queries, and what it says of a match.

    ---
    severity: warning
    summary: a call that creates a file fails because its directory is missing

    match: call in (open, openat, creat) and errno == ENOENT and flags has O_CREAT
    says: the directory {parent} does not exist
    why: O_CREAT creates the file, and none of the directories in its path: open(2)
    fix: mkdir -p {parent}
    ---

The first paragraph is the card. Each further one is a reading: one case that the page tells apart from its others. In
`says`, `why` and `fix` these stand for what the trace shows: {call}, {errno}, {it} for the path or address, {parent}
for the directory of a path, {to} for the last path of
several, {port} for the port of an address.
"""

from __future__ import annotations

import re
from functools import cached_property

import msgspec

from tracediag.query import Query, compile_query

_HEAD = re.compile(r"\A---\n(.*?)^---\n", re.MULTILINE | re.DOTALL)
_ERRNO = re.compile(r"\bE[A-Z0-9]++\b")
_COMPARISON = re.compile(r"\b(?>and|or)\b")
_FIELD = re.compile(r"^(\w++): *+(.*)$")


class Reading(msgspec.Struct, frozen=True, dict=True):
    """What a failed call means in one case."""

    match: str
    """The query that its call matches."""
    says: str
    """What the error means here, as a clause that follows a colon."""
    why: str
    fix: str

    @cached_property
    def query(self) -> Query:
        """The compiled query; compiled on first use, since most traces need none.

        Raises:
            QueryError: if it is not of the language.
        """
        return compile_query(self.match)

    @cached_property
    def errnos(self) -> frozenset[str]:
        """The errors that its query names, read without compiling it."""
        return frozenset(_ERRNO.findall(self.match))

    @cached_property
    def comparisons(self) -> int:
        """How many comparisons its query has: how specific it is."""
        return len(_COMPARISON.findall(self.match))


class Head(msgspec.Struct, frozen=True):
    """The head of a page."""

    severity: str
    summary: str
    readings: tuple[Reading, ...]


def split_head(text: str) -> tuple[str, str]:
    """Return the head of a page, "" if it has none, and the page below it."""
    found = _HEAD.match(text)
    return ("", text) if found is None else (found[1], text[found.end() :])


def parse_head(text: str) -> Head:
    """Take a head apart. A line that begins with a blank continues the one above it.

    Raises:
        ValueError: if a line is no field, or a field is unknown or missing.
    """
    card, *readings = (_fields(paragraph) for paragraph in text.strip().split("\n\n"))
    try:
        return Head(**card, readings=tuple(Reading(**fields) for fields in readings))
    except TypeError as error:
        raise ValueError(f"the head of the page: {error}") from None


def _fields(paragraph: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in re.sub(r"\n +", " ", paragraph).split("\n"):
        field = _FIELD.match(line)
        if field is None:
            raise ValueError(f"the head of the page: no field: {line}")
        found[field[1]] = field[2]
    return found

"""The head of a page as text: where its queries stand. What the head means is the affair of `rules.page_rules`."""

from __future__ import annotations

import re

import msgspec

from tracediag.rules.cases import MOST_QUERY, REFERENCE
from tracediag.trace.patterns import lazy_pattern

_FIELD = lazy_pattern(r"^(\w++):[ \t]*+(.*(?:\n[ \t]++\S.*)*)", re.MULTILINE)
_END = lazy_pattern(r"^---$", re.MULTILINE)
_QUERIES = ("match", "when", "ended")


class Field(msgspec.Struct, frozen=True):
    """A field of a head."""

    name: str
    text: str
    """Its value, with the lines that continue it as they stand."""
    start: int
    """The index of the value in the page."""


def fields_of(text: str) -> list[Field]:
    """Return the fields of the head of a page."""
    end = _END.search(text, 4)
    return [Field(found[1], found[2], found.start(2)) for found in _FIELD.finditer(text, 4, end.start() if end else 4)]


def queries_of(text: str) -> list[Field]:
    """Return the fields of a head that are queries; those that name another page, or are too long, are not."""
    return [
        field
        for field in fields_of(text)
        if field.name in _QUERIES and len(field.text) <= MOST_QUERY and not REFERENCE.fullmatch(field.text.strip())
    ]


def place_in(text: str, index: int) -> tuple[int, int]:
    """Return line and column, from 1, of an index in a text."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)

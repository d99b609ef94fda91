"""What is wrong with the fields of a head, all of it: as a rule the page is read only as far as the first error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

from tracediag.evidence.scope import Fact
from tracediag.results.findings import Confidence, Severity
from tracediag.rules.cases import CASE, check_card, check_fields, query_of
from tracediag.rules.heads import Field, HeadError, paragraphs, split_head
from tracediag.rules.templates import template

_WORDS: dict[str, type[StrEnum]] = {"severity": Severity, "confidence": Confidence, "needs": Fact}
_TEXTS = ("title", "why", "fix")
_MANY = 99
"""Steps of a match, where its query is wrong: then no number of a step is."""


def check_head(path: Path, text: str) -> Iterator[HeadError]:
    """Yield what is wrong with the head of a page."""
    try:
        found = paragraphs(split_head(text)[0])
    except HeadError as error:
        yield error
        return
    if not found:
        return  # the page cannot be read as a rule, which says why
    card, rest = found[0], found[1:]
    yield from _attempted(lambda: check_card(card))
    for name, field in card.items():
        yield from _check_words(name, field)
    first = {name: field for name, field in card.items() if name in CASE}
    for fields in [first, *rest] if first else rest or [{}]:
        yield from _check_case(path, fields)


def declared(text: str) -> frozenset[str]:
    """Return the facts that a head says its rule needs."""
    try:
        card = paragraphs(split_head(text)[0])[:1]
    except HeadError:
        return frozenset()
    return frozenset(word for fields in card if "needs" in fields for word in _listed(fields["needs"]))


def _listed(field: Field) -> list[str]:
    return [word.strip() for word in field.words.split(",")]


def _check_words(name: str, field: Field) -> Iterator[HeadError]:
    if (words := _WORDS.get(name)) is not None:
        known = tuple(words)
        for word in _listed(field):
            if word and word not in known:
                yield HeadError(field.line, f"{name}: {word} is none of {', '.join(known)}")


def _check_case(path: Path, fields: dict[str, Field]) -> Iterator[HeadError]:
    yield from _attempted(lambda: check_fields(fields, CASE, ("notes",)))
    steps = _MANY
    if "match" in fields:
        try:
            steps = query_of(path, fields["match"]).steps
        except HeadError as error:
            yield error
    for name in (*_TEXTS, "notes"):
        if name in fields:
            yield from _check_text(fields[name], steps)
    if "notes" in fields and steps != _MANY and (count := len(fields["notes"].words.split(" | "))) != steps:
        yield HeadError(fields["notes"].line, f"notes: {count}, but a match has {steps} steps")


def _check_text(field: Field, steps: int) -> Iterator[HeadError]:
    try:
        template(field.words, steps)
    except ValueError as error:
        yield HeadError(field.line, str(error))


def _attempted(act: Callable[[], None]) -> Iterator[HeadError]:
    try:
        act()
    except HeadError as error:
        yield error

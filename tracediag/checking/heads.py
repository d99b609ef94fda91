"""What is wrong with the fields of a head, all of it: as a rule the page is read only as far as the first error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path

from tracediag.evidence.scope import Fact
from tracediag.query.errors import nearest
from tracediag.results.findings import Confidence, Severity
from tracediag.rules import all_rules
from tracediag.rules.cases import CASE, OPTIONAL, check_when, condition_of, query_of
from tracediag.rules.heads import Field, HeadError, paragraphs, split_head
from tracediag.rules.page_cards import CARD, Outcome, check_card, check_fields
from tracediag.rules.wording import SAYS, listed, template_of, wording_of

_WORDS: dict[str, type[StrEnum]] = {
    "severity": Severity,
    "confidence": Confidence,
    "needs": Fact,
    "rests_on": Outcome,
}
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
    yield from _attempted(partial(check_card, card, CASE))
    for name, field in card.items():
        yield from _check_words(name, field)
    first = {name: field for name, field in card.items() if name in CASE and name not in CARD}
    steps = None
    for fields in [first, *rest] if first else rest or [{}]:
        if "when" in fields:
            yield from _check_when(path, fields, _MANY if steps is None else steps, first=steps is None)
        else:
            steps = _steps(path, fields)
            yield from _check_case(path, fields, steps)


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


def _check_case(path: Path, fields: dict[str, Field], steps: int) -> Iterator[HeadError]:
    """Yield what is wrong with a case; a match of it has `steps` calls, `MANY` where its query is wrong."""
    yield from _attempted(partial(check_fields, fields, CASE, OPTIONAL))
    if "match" in fields and steps == _MANY:
        yield from _attempted(partial(query_of, path, fields["match"]))
    if "ended" in fields:
        yield from _attempted(partial(condition_of, fields, "ended"))
    yield from _check_says(path, fields, steps)


def _check_when(path: Path, fields: dict[str, Field], steps: int, *, first: bool) -> Iterator[HeadError]:
    yield from _attempted(partial(check_when, fields, first=first))
    yield from _attempted(partial(condition_of, fields, "when"))
    yield from _check_says(path, fields, steps)


def _check_says(path: Path, fields: dict[str, Field], steps: int) -> Iterator[HeadError]:
    """Yield what is wrong with each field that says something; where the query is wrong, no number of notes is."""
    for name, field in fields.items():
        if name == "notes" and steps == _MANY:
            for note in listed(field):
                yield from _attempted(partial(template_of, field, note, steps))
        elif name in SAYS:
            yield from _attempted(partial(wording_of, {name: field}, steps))
        if name == "explains":
            yield from _check_explained(path, field)


def _check_explained(path: Path, field: Field) -> Iterator[HeadError]:
    known = {rule.name for rule in all_rules()}
    for name in (each.partition(" at ")[0].strip() for each in _listed(field)):
        own = any(path.with_name(f"{stem}.md").is_file() for stem in (name, name.replace("-", "_")))
        if name and name not in known and not own:
            yield HeadError(field.line, f"explains: no rule is named {name}{nearest(name, known)}")


def _steps(path: Path, fields: dict[str, Field]) -> int:
    try:
        return query_of(path, fields["match"]).steps if "match" in fields else _MANY
    except HeadError:
        return _MANY


def _attempted(act: Callable[[], object]) -> Iterator[HeadError]:
    try:
        act()
    except HeadError as error:
        yield error

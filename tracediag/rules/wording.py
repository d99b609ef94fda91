"""What a finding of a page says of a match: the texts of a case, and what replaces them under a condition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from tracediag.evidence.steps import no
from tracediag.kernel import Action
from tracediag.query import Match, Query
from tracediag.query.errors import nearest
from tracediag.query.history import EARLIER
from tracediag.query.names import Name
from tracediag.query.subject import Subject
from tracediag.results.findings import Absence, Confidence, Severity, Step, step
from tracediag.rules.heads import Field, HeadError, word_of
from tracediag.rules.templates import Template, held, template
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.records import Record

TEXTS = ("title", "why", "fix", "object")
WORDS = ("severity", "confidence")
LISTS = ("notes", "shows", "absent", "explains")
SAYS = (*TEXTS, *WORDS, *LISTS)
"""The fields that say something of a match."""


class Shown(msgspec.Struct, frozen=True):
    """An earlier event that a finding shows, where the trace does."""

    event: Name
    note: Template


class Wording(msgspec.Struct, frozen=True):
    """What is said of a match; None stands for what the case, or the rule, says anyway."""

    title: Template | None = None
    why: Template | None = None
    fix: Template | None = None
    object: Template | None = None
    severity: Severity | None = None
    confidence: Confidence | None = None
    notes: tuple[Template, ...] | None = None
    """What each step means."""
    shows: tuple[Shown, ...] | None = None
    absent: tuple[Shown, ...] | None = None
    """What did not happen between an earlier event and the last call."""
    explains: tuple[str, ...] | None = None
    """Names of rules whose findings about the last call this one explains."""

    def over(self, other: Wording) -> Wording:
        """Return this, with what the other says where this says nothing; both show their events."""
        shows = {shown.event.name: shown for shown in (*(other.shows or ()), *(self.shows or ()))}
        said = Wording(*(getattr(other, each) if own is None else own for each, own in self._parts()))
        return msgspec.structs.replace(said, shows=tuple(shows.values()))

    def _parts(self) -> Iterator[tuple[str, Any]]:
        return ((name, getattr(self, name)) for name in self.__struct_fields__)

    def earlier(self, match: Match, action: Action | None) -> Iterator[Step]:
        """Yield the steps of what it shows besides the calls of the match."""
        subject = Subject(match.calls[-1], action, shared=held(match.key))
        taken = {call.line for call in match.calls}
        for shown in self.shows or ():
            event = shown.event.read(subject)
            if isinstance(event, Syscall | Begun | Record) and event.line not in taken:
                taken.add(event.line)
                yield step(event, shown.note.of(match, action))

    def missing(self, match: Match, action: Action | None) -> Iterator[Absence]:
        """Yield what did not happen before the last call."""
        subject = Subject(match.calls[-1], action, shared=held(match.key))
        for shown in self.absent or ():
            event = shown.event.read(subject)
            if isinstance(event, Syscall | Begun | Record):
                yield no(shown.note.of(match, action), event, match.line)


class When(msgspec.Struct, frozen=True):
    """What is said instead where a condition is true of the last call."""

    condition: Query
    wording: Wording

    def holds(self, match: Match, action: Action | None) -> bool:
        """Whether the condition is true; where only the end of the trace decided, the model is unknown."""
        return self.condition.holds(Subject(match.calls[-1], action, shared=held(match.key)))


def wording_of(fields: dict[str, Field], steps: int) -> Wording:
    """Return what some fields of a head say.

    Raises:
        HeadError: if one is wrong.
    """
    texts = {name: template_of(fields[name], fields[name].words, steps) for name in TEXTS if name in fields}
    notes = None
    if (field := fields.get("notes")) is not None:
        notes = tuple(template_of(field, note, steps) for note in listed(field))
        if len(notes) != steps:
            raise HeadError(field.line, f"notes: {len(notes)}, but a match has {steps} steps")
    return Wording(
        **texts,
        severity=word_of(Severity, fields, "severity"),
        confidence=word_of(Confidence, fields, "confidence"),
        notes=notes,
        shows=_events(fields, "shows", steps),
        absent=_events(fields, "absent", steps),
        explains=tuple(each.strip() for each in fields["explains"].words.split(",") if each.strip())
        if "explains" in fields
        else None,
    )


def _events(fields: dict[str, Field], name: str, steps: int) -> tuple[Shown, ...] | None:
    field = fields.get(name)
    return None if field is None else tuple(_shown(name, field, each, steps) for each in listed(field))


def listed(field: Field) -> list[str]:
    """Return the parts of a field that bars between blanks separate."""
    return [part.strip() for part in field.words.split(" | ")]


def _shown(field_name: str, field: Field, text: str, steps: int) -> Shown:
    name, colon, note = (part.strip() for part in text.partition(":"))
    event = EARLIER.get(name)
    if event is None:
        known = nearest(name, EARLIER) or "; `tracediag grep --names` lists them"
        raise HeadError(field.line, f"{field_name}: no earlier event is named {name}{known}")
    if not colon or not note:
        raise HeadError(field.line, f"{field_name}: what {name} means follows it after a colon")
    return Shown(event, template_of(field, note, steps))


def template_of(field: Field, text: str, steps: int) -> Template:
    """Return a text of a field.

    Raises:
        HeadError: if a part of it is wrong.
    """
    try:
        return template(text, steps)
    except ValueError as error:
        raise HeadError(field.line, str(error)) from None

"""What a finding of a page says of a match: the texts of a case, and what replaces them under a condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from tracediag.evidence.steps import no
from tracediag.kernel import Action
from tracediag.query import Match, Query
from tracediag.query.errors import nearest
from tracediag.query.history import EARLIER
from tracediag.query.names import Name
from tracediag.query.subject import Subject
from tracediag.results.findings import Absence, Confidence, Severity, Step, step
from tracediag.rules.claims import Explains, explains_of, lines_of, rests_of
from tracediag.rules.heads import Field, HeadError, word_of
from tracediag.rules.templates import MOST_PARTS, Template, subject_of, template
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Record

TEXTS = ("title", "why", "fix", "object")
WORDS = ("severity", "confidence", "primary")
LISTS = ("notes", "shows", "absent", "explains", "rests_on")
_END = lazy_pattern(r"(?<![\w.\"])end\.")
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
    explains: tuple[Explains, ...] | None = None
    """The rules whose findings about an event this one explains."""
    rests_on: frozenset[str] | None = None
    """The calls on whose absence it rests."""
    primary: str | None = None
    """The event of `shows` that the finding is about, where it is not the last call."""

    def said(self, match: Match, action: Action | None) -> Said:
        """Return what it says of a match."""
        subject = subject_of(match, action)
        texts = {name: text.of(match, action) for name in TEXTS if (text := getattr(self, name)) is not None}
        return Said(
            **texts,
            severity=self.severity,
            confidence=self.confidence,
            notes=None if self.notes is None else tuple(note.of(match, action) for note in self.notes),
            steps={name: step(event, note.of(match, action)) for name, event, note in _read(self.shows or (), subject)},
            absent=None
            if self.absent is None
            else tuple(no(note.of(match, action), event, match.line) for _, event, note in _read(self.absent, subject)),
            explains=None if self.explains is None else tuple(lines_of(self.explains, subject)),
            rests_on=self.rests_on,
            primary=self.primary,
        )

    def at_end(self, match: Match, action: Action | None) -> Said:
        """Return what it says of how the process of a match ended: the events and explanations that this decides."""
        subject = subject_of(match, action)
        shows = (each for each in self.shows or () if _END.match(each.event.name))
        explains = (each for each in self.explains or () if each.at is not None and _END.match(each.at.name))
        return Said(
            steps={name: step(event, note.of(match, action)) for name, event, note in _read(shows, subject)},
            explains=tuple(lines_of(explains, subject)),
        )


class Said(msgspec.Struct):
    """What is said of one match, in words."""

    title: str | None = None
    why: str | None = None
    fix: str | None = None
    object: str | None = None
    severity: Severity | None = None
    confidence: Confidence | None = None
    notes: tuple[str, ...] | None = None
    steps: dict[str, Step] = {}
    """What it shows besides the calls of the match, by the name of the event."""
    absent: tuple[Absence, ...] | None = None
    explains: tuple[tuple[str, int], ...] | None = None
    """Names of rules, each with the line of the event that the finding of it is about."""
    rests_on: frozenset[str] | None = None
    primary: str | None = None
    """The name of the event that the finding is about, if it is shown; else it is about the last call."""

    def learn(self, other: Said) -> None:
        """Say also what another shows and explains."""
        self.steps = {**self.steps, **other.steps}
        self.explains = (*(self.explains or ()), *(other.explains or ()))

    def replace(self, other: Said) -> None:
        """Say what another says, and what this says where the other says nothing; both show their events."""
        self.steps = {**self.steps, **other.steps}
        for name in SAYS:
            if name != "shows" and (value := getattr(other, name)) is not None:
                setattr(self, name, value)


def _read(some: Iterable[Shown], subject: Subject) -> Iterator[tuple[str, Syscall | Begun | Record, Template]]:
    """Yield the events that the trace shows, by name, each with what it means."""
    for shown in some:
        event = shown.event.read(subject)
        if isinstance(event, Syscall | Begun | Record):
            yield shown.event.name, event, shown.note


class When(msgspec.Struct, frozen=True):
    """What is said instead where a condition is true of the last call."""

    condition: Query
    wording: Wording

    @property
    def waits(self) -> bool:
        """Whether it asks how the process ended."""
        return asks_for_end(self.condition)

    def holds(self, match: Match, action: Action | None) -> bool:
        """Whether the condition is true; where only the end of the trace decided, the model is unknown."""
        return self.condition.holds(subject_of(match, action))


def asks_for_end(condition: Query) -> bool:
    """Whether a condition asks how the process ended."""
    return any(_END.search(leaf.text) for part in condition.parts for leaf in part.leaves)


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
        explains=explains_of(fields["explains"]) if "explains" in fields else None,
        rests_on=rests_of(fields["rests_on"]) if "rests_on" in fields else None,
        primary=_earlier("primary", fields["primary"], fields["primary"].words).name if "primary" in fields else None,
    )


def _events(fields: dict[str, Field], name: str, steps: int) -> tuple[Shown, ...] | None:
    field = fields.get(name)
    if field is None:
        return None
    parts = listed(field)
    if len(parts) > MOST_PARTS:
        raise HeadError(field.line, f"{name}: at most {MOST_PARTS} events")
    return tuple(_shown(name, field, each, steps) for each in parts)


def listed(field: Field) -> list[str]:
    """Return the parts of a field that bars between blanks separate."""
    return [part.strip() for part in field.words.split(" | ")]


def _shown(field_name: str, field: Field, text: str, steps: int) -> Shown:
    name, colon, note = (part.strip() for part in text.partition(":"))
    event = _earlier(field_name, field, name)
    if not colon or not note:
        raise HeadError(field.line, f"{field_name}: what {name} means follows it after a colon")
    return Shown(event, template_of(field, note, steps))


def _earlier(field_name: str, field: Field, name: str) -> Name:
    event = EARLIER.get(name)
    if event is None:
        known = nearest(name, EARLIER) or "; `tracediag grep --names` lists them"
        raise HeadError(field.line, f"{field_name}: no earlier event is named {name}{known}")
    return event


def template_of(field: Field, text: str, steps: int) -> Template:
    """Return a text of a field.

    Raises:
        HeadError: if a part of it is wrong.
    """
    try:
        return template(text, steps)
    except ValueError as error:
        raise HeadError(field.line, str(error)) from None

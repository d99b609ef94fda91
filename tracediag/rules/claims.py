"""What a finding of a page claims of others: which findings it explains, and on the absence of which calls it rests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from tracediag.query.errors import nearest
from tracediag.query.history import EARLIER
from tracediag.query.names import Name
from tracediag.query.subject import Subject
from tracediag.rules.heads import Field, HeadError
from tracediag.trace.calls import SYSCALLS
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.records import Record


class Explains(msgspec.Struct, frozen=True):
    """A rule whose finding about an event is a consequence."""

    name: str
    """The name of the rule."""
    at: Name | None = None
    """The event; None for the last call of the match."""


def explains_of(field: Field) -> tuple[Explains, ...]:
    """Return what a field `explains` names: `double-close, crashed at end.delivered`.

    Raises:
        HeadError: if no event has such a name.
    """
    return tuple(_explains(field, each.strip()) for each in field.words.split(",") if each.strip())


def _explains(field: Field, text: str) -> Explains:
    name, _, event = (part.strip() for part in text.partition(" at "))
    if event and event not in EARLIER:
        raise HeadError(field.line, f"explains: no event is named {event}{nearest(event, EARLIER)}")
    return Explains(name, EARLIER[event] if event else None)


def lines_of(explained: Iterable[Explains], subject: Subject) -> Iterator[tuple[str, int]]:
    """Yield the names of rules, each with the line of the event, where the trace shows it."""
    for each in explained:
        event = subject.call if each.at is None else each.at.read(subject)
        if isinstance(event, Syscall | Begun | Record):
            yield each.name, event.line


def rests_of(field: Field) -> frozenset[str]:
    """Return the calls that a field `rests_on` names.

    Raises:
        HeadError: if one is no call.
    """
    names = [name for each in field.words.split(",") if (name := each.strip())]
    for name in names:
        if name not in SYSCALLS:
            raise HeadError(field.line, f"rests_on: no call is named {name}{nearest(name, SYSCALLS)}")
    return frozenset(names)

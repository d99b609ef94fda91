"""Recognises the same open file description in a second reading of a trace: by the call that created it."""

from __future__ import annotations

from typing import NamedTuple

from tracediag.kernel import Action
from tracediag.kernel.descriptor import OpenFile
from tracediag.overviews.touching import Touch
from tracediag.trace.events import Event, Syscall

_MOST = 4096
"""Descriptions whose birth is remembered before those that are gone are dropped."""


class Birth(NamedTuple):
    """Where the trace first shows a description: the place of the call, and which of its descriptors it is."""

    line: int
    last_line: int
    number: int | None


class Births:
    """The births of all descriptions that are still open."""

    def __init__(self) -> None:
        self._known: dict[OpenFile, Birth] = {}

    def take(self, action: Action, files: dict[OpenFile, Touch]) -> list[tuple[OpenFile, Birth]]:
        """Record and return the descriptions that an applied event shows for the first time."""
        new = []
        for descriptor in action.opened:
            if descriptor.file not in self._known:
                new.append((descriptor.file, _birth(action.event, descriptor.number)))
                self._known[descriptor.file] = new[-1][1]
        for file, touch in files.items():
            if file not in self._known:
                new.append((file, _birth(action.event, touch.number)))
                self._known[file] = new[-1][1]
        if len(self._known) > _MOST:
            self._known = {file: birth for file, birth in self._known.items() if not file.gone}
        return new

    def of(self, file: OpenFile) -> Birth | None:
        """Return the birth of a description that is still open, or was a moment ago."""
        return self._known.get(file)


def _birth(event: Event, number: int | None) -> Birth:
    last = event.end_line if isinstance(event, Syscall) else event.line
    return Birth(event.line, last, number)

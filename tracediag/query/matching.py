"""What a query has found, and the run of a query over a trace: that of a query about one call."""

from __future__ import annotations

import abc
from collections.abc import Hashable, Iterator

import msgspec

from tracediag.evidence.scope import Scope
from tracediag.kernel import Action
from tracediag.kernel.process_end import ProcessEnd
from tracediag.query.compiled import Compiled
from tracediag.query.stand_ins import CALLS, subject_call
from tracediag.query.subject import Subject
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit


class Match(msgspec.Struct, frozen=True):
    """What a query has found: one call, or the calls of a sequence."""

    calls: tuple[Syscall, ...]
    """One call for each step; of a count, the first and the last; of an absence, both ends.

    A signal or an end is a `StandIn`, a call without a name.
    """
    key: Hashable = None
    """The object of the model that the calls have in common; None for a query about one call."""
    object: str = ""
    """That object as a person names it, at the time of the match."""
    count: int = 1
    """How many calls it stands for: of a count, all in the window."""

    end: ProcessEnd | None = None
    """How the process of the last call ended, where that was waited for."""
    excerpt: bool = False
    """Whether the recording has no start or no end."""

    @property
    def line(self) -> int:
        """The line of the last call."""
        return self.calls[-1].line

    def __repr__(self) -> str:
        lines = ", ".join(str(call.line) for call in self.calls)
        return f"<Match lines {lines} of {self.object or self.calls[0].name}>"


class Watch(abc.ABC):
    """One run of a query over one trace."""

    def __init__(self) -> None:
        self.unchecked = ""
        """Why matches may be missing, in one sentence; "" if none may."""
        self.lost = ""
        """Likewise where there were too many objects or matches to follow them all."""

    @abc.abstractmethod
    def feed(self, action: Action) -> Iterator[Match]:
        """Yield the matches that an action completes; feed every action, in order."""

    def finish(self, scope: Scope) -> Iterator[Match]:
        """Yield the matches that only the end of the trace decides."""
        del scope
        yield from ()


class CallWatch(Watch):
    """Each call that matches a condition."""

    def __init__(self, condition: Compiled) -> None:
        super().__init__()
        self._condition = condition
        self._others = condition.kinds != CALLS
        """Whether signals or ends can match."""

    def feed(self, action: Action) -> Iterator[Match]:
        """Yield the call, if it matches."""
        event = action.event
        if not isinstance(event, Syscall) and not self._others:
            return
        call = subject_call(event, action)
        if call is not None and _possible(self._condition, call):
            subject = Subject(call, action)
            if self._condition.test(subject):
                yield Match((call,))


def forget_released(action: Action) -> None:
    """Drop the cases on what an event has released; the engine does so itself, after the rules have been told."""
    for descriptor in action.released:
        if descriptor.watchers:
            descriptor.end_watch()
        if descriptor.file.watchers and descriptor.file.gone:
            descriptor.file.end_watch()
    if isinstance(action.event, Exit):
        action.thread.end_watch()


def _possible(condition: Compiled, call: Syscall) -> bool:
    if not call.name:  # a signal or an end
        return condition.kinds != CALLS
    return (condition.calls is None or call.name in condition.calls) and (
        condition.errnos is None or call.errno in condition.errnos
    )

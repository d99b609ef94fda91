"""Follows a query about several calls over a trace: each match of a sequence, of a count or of an absence.

What is open is bound to objects of the model, never to numbers, and bounded: the oldest case is dropped for a new one.
"""

from __future__ import annotations

import abc
from collections import deque
from collections.abc import Hashable, Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.scope import Scope
from tracediag.kernel import Action
from tracediag.query.compiled import Compiled
from tracediag.query.matching import Match, Watch
from tracediag.query.objects import Directories, ObjectKind, name_of
from tracediag.query.stand_ins import CALLS, subject_call
from tracediag.query.subject import Subject
from tracediag.trace.events import Event, Syscall

MOST_KEPT = 1 << 16
"""Matches that are kept until the end decides."""
_NAMED = 3
"""Calls that are named of those that the recording may lack."""


class ObjectWatch(Watch):
    """The common part of queries about the calls on one object."""

    def __init__(self, by: ObjectKind, parts: tuple[Compiled, ...], within: float | None) -> None:
        super().__init__()
        names = [part.calls for part in parts]
        self._kinds = frozenset[type[Event]]().union(*(part.kinds or CALLS for part in parts))
        self._calls = None if None in names else frozenset().union(*(each for each in names if each is not None))
        self._by = by
        self._directories = Directories()
        self._learns = by.by_path
        self._within = within

    def feed(self, action: Action) -> Iterator[Match]:
        """Yield the matches that an action completes."""
        if self._learns:
            self._directories.learn(action)
        event = action.event
        if isinstance(event, Syscall):
            if self._calls is not None and event.name not in self._calls:
                return
        elif type(event) not in self._kinds:
            return
        call = subject_call(event, action)
        if call is None:
            return
        seen: dict[Hashable, bool] = {}
        for key, reported in self._by.of(action, self._directories):
            seen[key] = seen.get(key, False) or reported
        for key, reported in seen.items():
            yield from self.take(key, Subject(call, action, reported))

    @abc.abstractmethod
    def take(self, key: Hashable, subject: Subject) -> Iterator[Match]:
        """Take a call of an object."""

    def lose(self, what: str, kept: int) -> None:
        """Record that not all could be followed."""
        self.lost = f"matches may be missing: {what} exceed the {kept:,} that are followed at a time"

    def too_late(self, first: Syscall, call: Syscall) -> bool:
        """Whether more time than `within` allows has passed; unknown times count as too late."""
        if self._within is None:
            return False
        if first.time is None or call.time is None:
            self.unchecked = "`within` is not checked: the recording lacks times (strace -ttt)"
            return True
        return call.time - first.time > self._within


class SequenceWatch(ObjectWatch):
    """Steps in order, on one object, until a call that closes the case, unless a later one makes it good."""

    def __init__(
        self,
        by: ObjectKind,
        steps: tuple[Compiled, ...],
        until: Compiled | None,
        within: float | None,
        unless: Compiled | None = None,
    ) -> None:
        super().__init__(by, (*steps, *(each for each in (until, unless) if each is not None)), within)
        self._steps = steps
        self._until = until
        self._unless = unless
        self._open: Cases[Hashable, list[Syscall]] = Cases()
        self._kept: Cases[Hashable, Match] = Cases(MOST_KEPT, outlive=True)
        """The first match of each object that no later call has made good."""

    def take(self, key: Hashable, subject: Subject) -> Iterator[Match]:
        """Advance the case of an object; the last step completes the match, which `unless` holds until the end."""
        if self._unless is None:
            yield from self._advance(key, subject)
        elif self._unless.test(subject):
            self._kept.pop(key)
            self._open.pop(key)
        else:
            for match in self._advance(key, subject):
                self._kept.setdefault(key, match)

    def finish(self, scope: Scope) -> Iterator[Match]:
        """Yield the matches that no later call has made good, if the recording would show such calls."""
        if self._open.dropped:
            self.lose("open sequences", self._open.kept)
        if self._kept.dropped:
            self.lose("matches", self._kept.kept)
        excuse = None if self._unless is None else self._unless.calls
        if self._kept and excuse and not scope.records(excuse):
            self.unchecked = unrecorded("unless", excuse)
            return
        yield from self._kept.values()

    def _advance(self, key: Hashable, subject: Subject) -> Iterator[Match]:
        call, taken = subject.call, self._open.get(key)
        if taken is not None and self.too_late(taken[0], call):
            del self._open[key]
            taken = None
        if taken is None:
            if self._steps[0].test(subject):
                self._open[key] = [call]
                yield from self._completed(key, self._open[key])
            return
        if self._until is not None and self._until.test(subject):
            del self._open[key]
        elif self._steps[len(taken)].test(subject):
            taken.append(call)
            yield from self._completed(key, taken)

    def _completed(self, key: Hashable, taken: list[Syscall]) -> Iterator[Match]:
        if len(taken) == len(self._steps):
            del self._open[key]
            yield Match(tuple(taken), key, name_of(key))


class _Window(msgspec.Struct):
    """The latest calls of an object that count."""

    latest: deque[Syscall]
    first: Syscall | None = None
    """The first call of the match, once there are enough; None before."""
    begun: Syscall | None = None
    """The first call, where all calls are one match."""
    name: str = ""
    count: int = 0


class CountWatch(ObjectWatch):
    """At least so many calls on one object within a time; all that follow closely enough are the same match."""

    def __init__(self, by: ObjectKind, step: Compiled, least: int, within: float | None) -> None:
        super().__init__(by, (step,), within)
        self._step = step
        self._least = least
        self._open: Cases[Hashable, _Window] = Cases(outlive=True)

    def take(self, key: Hashable, subject: Subject) -> Iterator[Match]:
        """Count a call; yield the match before it, if that is over."""
        if not self._step.test(subject):
            return
        call = subject.call
        window = self._open.get(key)
        if window is None:
            window = self._open[key] = _Window(deque(maxlen=1 if self._within is None else self._least))
        if self._within is None:
            self._add(key, window, call)
            return
        if len(window.latest) == self._least and window.first is not None and self._is_over(window, call):
            yield self._match(key, window)
            window.first, window.count = None, 0
            window.latest.clear()
        window.latest.append(call)
        window.count += 1
        if window.first is None and len(window.latest) == self._least and not self.too_late(window.latest[0], call):
            window.first, window.name, window.count = window.latest[0], name_of(key), self._least

    def _add(self, key: Hashable, window: _Window, call: Syscall) -> None:
        """Count a call where all calls are one match: only the first and the latest need be kept."""
        window.begun = window.begun or call
        window.latest.append(call)
        window.count += 1
        if window.count == self._least:
            window.first, window.name = window.begun, name_of(key)

    def _is_over(self, window: _Window, call: Syscall) -> bool:
        oldest = window.latest[1] if self._least > 1 else window.latest[0]
        return self.too_late(oldest, call)

    def _match(self, key: Hashable, window: _Window) -> Match:
        first = window.first or window.latest[0]
        return Match((first, window.latest[-1]), key, window.name, window.count)

    def finish(self, scope: Scope) -> Iterator[Match]:
        """Yield the matches that had not ended before the trace did."""
        del scope
        if self._open.dropped:
            self.lose("the objects", self._open.kept)
        for key, window in self._open.items():
            if window.first is not None:
                yield self._match(key, window)


def unrecorded(word: str, calls: frozenset[str]) -> str:
    """Return why the absence of calls proves nothing."""
    return f"`{word}` is not checked: the recording may lack {', '.join(sorted(calls)[:_NAMED])}; record without -e"

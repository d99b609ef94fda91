"""Events -> kernel -> rules -> findings: the one loop through which everything flows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tracediag.events import Begun, Event, Exit, Signal, Stop, Syscall
from tracediag.findings import Blind, Finding
from tracediag.kernel import Action, Kernel
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.rules import Rule

Listener = Callable[[Any], Iterable[Finding] | None]
"""A rule's method: takes an action (or, at the end, the kernel) and yields findings, if any."""


_NOBODY: Sequence[Listener] = ()
_PLAIN = frozenset({Kind.FILE, Kind.DEVICE})


def _told(audience: Sequence[Listener], action: Action) -> list[Finding]:
    found: list[Finding] = []
    for listener in audience:
        said = listener(action)
        if said is not None:
            found.extend(said)
    return found


def _is_plain(descriptor: Descriptor | None) -> bool:
    return descriptor is not None and descriptor.file.kind in _PLAIN


class Engine:
    """Takes the events of one trace, one by one, and gives the findings as they become certain enough to say."""

    def __init__(self, rules: Iterable[type[Rule]]) -> None:
        self.kernel = Kernel()
        self._rules = [rule() for rule in rules]
        self._listeners: dict[tuple[str, str], Sequence[Listener]] = {}
        for made in self._rules:
            for subscription, methods in made.subscriptions().items():
                listening = tuple(getattr(made, method) for method in methods)
                self._listeners[subscription] = (*self._listeners.get(subscription, ()), *listening)
        self._by_call = self._named("call")
        self._by_traffic = self._named("traffic")
        self._by_errno = self._named("errno")
        self._on_round = self._listeners.get(("round", ""), _NOBODY)
        self._on_release = self._listeners.get(("release", ""), _NOBODY)

    def _named(self, kind: str) -> dict[str, Sequence[Listener]]:
        return {name: listeners for (what, name), listeners in self._listeners.items() if what == kind}

    @property
    def calls(self) -> frozenset[str]:
        """The names of the calls that somebody wants to see whole; of others only the failures matter."""
        return Kernel.calls() | frozenset(self._by_call) | frozenset(self._by_traffic)

    @property
    def begun(self) -> frozenset[str]:
        """The names of the calls of which somebody wants to see the first half at once."""
        return Kernel.begun()

    def run(self, events: Iterable[Event]) -> Iterator[Finding]:
        """Yield the findings of a whole trace."""
        for event in events:
            found = self.feed(event)
            if found:
                yield from found
        yield from self.finish()

    def feed(self, event: Event) -> Sequence[Finding]:
        """Take one event; return what the rules find in it."""
        action = self.kernel.apply(event)
        if isinstance(event, Syscall):
            audience = self._by_call.get(event.name, _NOBODY)
            if event.name in self._by_traffic and not _is_plain(action.descriptor):
                audience = (*audience, *self._by_traffic[event.name])
            if event.errno is not None and event.errno in self._by_errno:
                audience = (*audience, *self._by_errno[event.errno])
        else:
            audience = _NOBODY if isinstance(event, Begun) else self._of_record(event)
        if action.finished is not None:  # told before the wait that ended it
            audience = (*self._on_round, *audience)
        if action.released and any(descriptor.noted for descriptor in action.released):
            audience = (*audience, *self._on_release)
        return _told(audience, action) if audience else ()

    def _of_record(self, event: Event) -> Sequence[Listener]:
        match event:
            case Signal(name=name):
                return self._listeners.get(("signal", name), _NOBODY)
            case Stop():
                return self._listeners.get(("stop", ""), _NOBODY)
            case Exit():
                return self._listeners.get(("exit", ""), _NOBODY)
            case _:
                return _NOBODY

    def finish(self) -> Iterator[Finding]:
        """Take the end of the trace."""
        for listener in self._listeners.get(("end", ""), ()):
            yield from listener(self.kernel) or ()

    def blind(self, shown: frozenset[str]) -> Iterator[Blind]:
        """Yield the rules that met something they could not judge, and what the recording lacks for it."""
        for rule in self._rules:
            needs = rule.unjudged(shown)
            if needs is not None:
                yield Blind(rule.name, needs)

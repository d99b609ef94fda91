"""Events -> kernel -> rules -> findings: the one loop through which everything flows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tracediag.events import Begun, Event, Exit, Signal, Syscall
from tracediag.findings import Blind, Finding
from tracediag.kernel import Action, Kernel
from tracediag.rules import Rule

Listener = Callable[[Any], Iterable[Finding] | None]
"""A rule's method: takes an action (or, at the end, the kernel) and yields findings, if any."""


class Engine:
    """Takes the events of one trace, one by one, and gives the findings as they become certain enough to say."""

    def __init__(self, rules: Iterable[type[Rule]]) -> None:
        self.kernel = Kernel()
        self._rules = [rule() for rule in rules]
        self._listeners: dict[tuple[str, str], list[Listener]] = {}
        for made in self._rules:
            for subscription, methods in made.subscriptions().items():
                self._listeners.setdefault(subscription, []).extend(getattr(made, method) for method in methods)

    @property
    def calls(self) -> frozenset[str]:
        """The names of the calls that somebody wants to see whole; of others only the failures matter."""
        return Kernel.calls() | frozenset(name for kind, name in self._listeners if kind == "call")

    def run(self, events: Iterable[Event]) -> Iterator[Finding]:
        """Yield the findings of a whole trace."""
        for event in events:
            yield from self.feed(event)
        yield from self.finish()

    def feed(self, event: Event) -> Iterator[Finding]:
        """Take one event; yield what the rules find in it."""
        action = self.kernel.apply(event)
        for subscription in _subjects(action, event):
            for listener in self._listeners.get(subscription, ()):
                yield from listener(action) or ()

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


def _subjects(action: Action, event: Event) -> Iterator[tuple[str, str]]:
    """Yield what an event is to a subscriber; a finished round comes before the wait that ended it."""
    if action.finished is not None:
        yield ("round", "")
    match event:
        case Syscall():
            yield ("call", event.name)
            if event.errno is not None:
                yield ("errno", event.errno)
        case Signal():
            yield ("signal", event.name)
        case Exit():
            yield ("exit", "")
        case Begun():
            yield ("begun", event.name)
    if action.released:
        yield ("release", "")

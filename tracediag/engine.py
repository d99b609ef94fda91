"""Events -> kernel -> rules -> findings: the one loop through which everything flows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tracediag.kernel import Action, Kernel, apply, begun_calls, known_calls
from tracediag.kernel.descriptor import Kind
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Finding
from tracediag.results.report import Blind
from tracediag.rules import Rule
from tracediag.trace.events import Begun, Event, Exit, Signal, Stop, Syscall

Listener = Callable[[Any], Iterable[Finding] | None]
"""A rule's method: takes an action, the end of a process or, at the end, the kernel, and yields findings, if any."""


_NOBODY: Sequence[Listener] = ()
_PLAIN = frozenset({Kind.FILE, Kind.DEVICE})

Audience = tuple[Sequence[Listener], Sequence[Listener], Sequence[Listener]]
"""Who hears of a call: on a plain file or device, on anything else, and besides where there are several threads."""


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
        calls, traffic, threaded = self._named("call"), self._named("traffic"), self._named("threaded")
        self._audiences: dict[str, Audience] = {
            name: (
                calls.get(name, _NOBODY),
                (*calls.get(name, _NOBODY), *traffic.get(name, _NOBODY)),
                threaded.get(name, _NOBODY),
            )
            for name in calls.keys() | traffic.keys() | threaded.keys()
        }
        self._by_errno = self._named("errno")
        self._by_failure: dict[str, dict[str, Sequence[Listener]]] = {}
        for failure, listeners in self._named("failure").items():
            call, _, errno = failure.partition(" ")
            self._by_failure.setdefault(call, {})[errno] = listeners
        self._on_round = self._listeners.get(("round", ""), _NOBODY)
        self._on_release = self._listeners.get(("release", ""), _NOBODY)
        self._on_process_end = self._listeners.get(("process end", ""), _NOBODY)
        self._on_followed = self._listeners.get(("followed", ""), _NOBODY)

    def _named(self, kind: str) -> dict[str, Sequence[Listener]]:
        return {name: listeners for (what, name), listeners in self._listeners.items() if what == kind}

    @property
    def calls(self) -> frozenset[str]:
        """The names of the calls that somebody wants to see whole; of others only the failures matter."""
        return known_calls() | frozenset(self._audiences)

    @property
    def begun(self) -> frozenset[str]:
        """The names of the calls of which somebody wants to see the first half at once."""
        return begun_calls()

    def run(self, events: Iterable[Event]) -> Iterator[Finding]:
        """Yield the findings of a whole trace.

        The loop is one function on purpose: a further call for each of a million events would be felt.
        """
        kernel, followed = self.kernel, self.kernel.followed
        audience_of, by_errno, by_failure = self._audiences.get, self._by_errno, self._by_failure
        for event in events:
            action = apply(kernel, event)
            found: list[Finding] = []
            if action.finished is not None:  # told before the wait that ended it
                _tell(self._on_round, action, found)
            if followed and action.thread.tid in followed:
                _tell(self._on_followed, action, found)
            if isinstance(event, Syscall):
                audience = audience_of(event.name)
                if audience is not None:
                    descriptor = action.descriptor
                    plain = descriptor is not None and descriptor.file.kind in _PLAIN
                    for listener in audience[0] if plain else audience[1]:
                        said = listener(action)
                        if said is not None:
                            found.extend(said)
                    if audience[2] and len(action.thread.process.threads) > 1:
                        _tell(audience[2], action, found)
                errno = event.errno
                if errno is not None:
                    _tell(by_errno.get(errno, _NOBODY), action, found)
                    failures = by_failure.get(event.name)
                    if failures is not None:
                        _tell(failures.get(errno, _NOBODY), action, found)
            elif not isinstance(event, Begun):
                _tell(self._of_record(event), action, found)
                if action.process.exit is event:
                    _tell(self._on_process_end, ProcessEnd(action.process, kernel, action), found)
            for descriptor in action.released:
                if descriptor.noted:
                    _tell(self._on_release, action, found)
                    break
            if found:
                yield from found
        yield from self.finish()

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
        left = [ProcessEnd(process, self.kernel) for process in self.kernel.processes if process.exit is None]
        for listener in self._on_process_end:
            for end in left:
                yield from listener(end) or ()
        for listener in self._listeners.get(("end", ""), ()):
            yield from listener(self.kernel) or ()

    def blind(self, shown: frozenset[str]) -> Iterator[Blind]:
        """Yield the rules that met something they could not judge, and what the recording lacks for it."""
        for rule in self._rules:
            needs = rule.unjudged(shown)
            if needs is not None:
                yield Blind(rule.name, needs)


def _tell(audience: Sequence[Listener], what: Action | ProcessEnd, found: list[Finding]) -> None:
    for listener in audience:
        said = listener(what)
        if said is not None:
            found.extend(said)

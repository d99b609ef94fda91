"""Events -> kernel -> rules -> findings: the loop that every event passes through.

A rule that raises loses only its own findings: it is dropped from then on, and `broken` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from tracediag.evidence.connections import ConnectionLives
from tracediag.evidence.fates import Fates
from tracediag.evidence.scope import Scope
from tracediag.evidence.steps import last_line
from tracediag.kernel import Action, Kernel, apply, begun_calls, known_calls
from tracediag.kernel.descriptor import Kind
from tracediag.kernel.process import Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Finding
from tracediag.results.report import Blind
from tracediag.rules import Rule, with_finders
from tracediag.rules.base import LASTING
from tracediag.rules.running import RunningRules
from tracediag.rules.subscribers import NO_LISTENERS, Listener
from tracediag.snapshot import Snapshot
from tracediag.stopping import FAULTS
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.records import CountRow, Exit, Signal, Stop

_FILE, _DEVICE = Kind.FILE, Kind.DEVICE
"""Aliases of what each call is compared with: access through the class of an enum costs as much as a call."""


class Engine:
    """Feeds the events of one trace to the rules, and yields their findings."""

    def __init__(
        self,
        rules: Iterable[type[Rule]],
        *,
        held: Callable[[], Collection[str]] = tuple,
        lines: Callable[[], int] = int,
        raising: bool = False,
        known: Snapshot | None = None,
    ) -> None:
        """Instantiate the rules.

        Args:
            rules: the rules to apply.
            held: gives the facts that the form of the lines shows, once lines have been read: see `Fact`.
            lines: returns how many lines have been read.
            raising: whether an exception in a rule is passed on instead of costing that rule's findings only.
            known: what /proc showed of the processes before the first event and after the last.
        """
        self.kernel = Kernel(lines, known)
        self.scope = Scope(self.kernel, held)
        self.fates = Fates(self.kernel)
        """How the processes that matter ended."""
        self.connections = ConnectionLives()
        """How the connections lived that have ended."""
        self.following: dict[Thread, set[str]] = {}
        """The threads whose every event rules want to see for a while, with the names of these rules."""
        self._unproven: list[Finding] = []
        """Findings that rest on the absence of calls that the trace has not shown at all so far."""
        asked = tuple(rules)
        self._wanted = frozenset(rule.name for rule in asked)
        """The names under which findings are wanted; the rules that help to find them run as well."""
        self._rules = RunningRules(with_finders(asked), raising=raising)
        for made in self._rules:
            made.selected = self._wanted
            made.scope = self.scope
            made.following = self.following
        self._subscribers = self._rules.subscribers
        self.broken = self._rules.broken
        """The rules that raised, and the line at which each did."""

    @property
    def calls(self) -> frozenset[str]:
        """The names of the calls that a rule or handler needs as events; of others only the failures matter."""
        return known_calls() | self._subscribers.names.union(*(rule.rests_on for rule in self._rules))

    @property
    def begun(self) -> frozenset[str]:
        """The names of the calls whose first half a rule or handler needs as an event."""
        return begun_calls()

    def run(self, events: Iterable[Event]) -> Iterator[Finding]:
        """Yield the findings of a trace; those that only its end can confirm come last."""
        return chain(self.feed(events), self.finish())

    def feed(self, events: Iterable[Event]) -> Iterator[Finding]:  # noqa: PLR0915 - see below
        """Yield the findings that the next events of a trace confirm.

        The loop is one function on purpose: another call for each of a million events would be costly.
        """
        kernel, followed, dispatch, to = self.kernel, self.following, self._dispatch, self._subscribers
        found: list[Finding] = []
        lasting = min((rule.lasting for rule in self._rules), default=LASTING)
        for event in events:
            action = apply(kernel, event)
            if action.finished is not None:  # delivered before the wait that ended it
                dispatch(to.on_round, action, event.line, found)
            if followed and action.thread in followed:
                dispatch(to.on_followed, action, event.line, found)
            if isinstance(event, Syscall):
                name = event.name
                audience = to.calls.get(name)
                if audience is not None:
                    descriptor = action.descriptor
                    plain = descriptor is not None and ((kind := descriptor.file.kind) is _FILE or kind is _DEVICE)
                    for listener in audience.plain if plain else audience.other:
                        try:
                            said = listener(action)
                            if said is not None:
                                found.extend(said)
                        except FAULTS as error:  # a rule's fault, of whatever kind
                            self._rules.drop_listener(listener, error, event.line)
                    for held, listeners in audience.plain_given if plain else audience.other_given:
                        if held:
                            dispatch(listeners, action, event.line, found)
                    for texts, choosy in audience.choosy:
                        for text in texts:
                            if text in event.body:
                                dispatch(choosy, action, event.line, found)
                                break
                    if audience.threaded and len(action.thread.process.threads) > 1:
                        dispatch(audience.threaded, action, event.line, found)
                    if audience.lasting and (took := event.duration) is not None and took >= lasting:
                        dispatch(audience.lasting, action, event.line, found)
                    if audience.split and event.end_line > event.line:
                        dispatch(audience.split, action, event.line, found)
                errno = event.errno
                if errno is not None:
                    failures = to.failures[errno]
                    failed = failures.by_call.get(name, failures.of_all)
                    if failed.always:
                        dispatch(failed.always, action, event.line, found)
                    for held, listeners in failed.given:
                        if held:
                            dispatch(listeners, action, event.line, found)
                    for texts, choosy in failed.choosy:
                        for text in texts:
                            if text in event.body:
                                dispatch(choosy, action, event.line, found)
                                break
            elif isinstance(event, CountRow):
                self.scope.table.add(event)
            elif not isinstance(event, Begun):
                dispatch(self._of_record(event), action, event.line, found)
                if action.process.exit is event:
                    self.fates.record(action)
                    dispatch(to.on_process_end, ProcessEnd(action.process, kernel, action), event.line, found)
                if isinstance(event, Exit):
                    followed.pop(action.thread, None)
                    action.thread.end_watch()
            if action.released:
                self._release(action, found)
            if found:
                yield from self._judged(found)
                found = []

    def _release(self, action: Action, found: list[Finding]) -> None:
        """Record what connections it ends, and tell of it where a rule may care; cases on what is gone are over."""
        for descriptor in action.released:
            if descriptor.file.socket is not None or descriptor.noted:
                break
        else:
            return
        self.connections.record(action.released, action.event)
        if not any(descriptor.noted for descriptor in action.released):
            return
        self._dispatch(self._subscribers.on_release, action, action.event.line, found)
        for descriptor in action.released:
            if descriptor.watchers:
                descriptor.end_watch()
            if descriptor.file.watchers and descriptor.file.gone:
                descriptor.file.end_watch()

    def _dispatch(self, audience: Sequence[Listener], what: Any, line: int, found: list[Finding]) -> None:
        """Call each method of an audience, at a line of the trace; a rule that raises is dropped."""
        for listener in audience:
            try:
                said = listener(what)
                if said is not None:
                    found.extend(said)
            except FAULTS as error:  # a rule's fault, of whatever kind
                self._rules.drop_listener(listener, error, line)

    def _of_record(self, event: Event) -> Sequence[Listener]:
        match event:
            case Signal(name=name):
                return self._subscribers.of("signal", name)
            case Stop():
                return self._subscribers.of("stop")
            case Exit():
                return self._subscribers.of("exit")
            case _:
                return NO_LISTENERS

    def finish(self) -> Iterator[Finding]:
        """Yield the findings that the end of the trace confirms."""
        told = self.kernel.told_end()
        if told is not None:
            yield from self.feed((told,))
        self.scope.end()
        found: list[Finding] = []
        last = last_line(self.kernel)
        left = [ProcessEnd(process, self.kernel) for process in self.kernel.processes if process.exit is None]
        for listener in self._subscribers.on_process_end:
            for end in left:
                self._dispatch((listener,), end, last, found)
        self._dispatch(self._subscribers.of("end"), self.kernel, last, found)
        if self.scope.is_table:
            self._dispatch(self._subscribers.of("table"), self.scope.table, last, found)
        unproven, self._unproven = self._unproven, []
        yield from self._judged((*unproven, *found))
        found = []
        self._dispatch(self._subscribers.of("last"), self.kernel, last, found)
        yield from self._judged(found)

    def _judged(self, found: Iterable[Finding]) -> Iterator[Finding]:
        """Hold back findings that rest on the absence of calls that the recording never shows, until the trace ends."""
        for finding in found:
            if finding.name not in self._wanted:
                continue
            rule = self._rules.by_name[finding.name]
            try:
                weighed = rule.weighed(finding) if rule.proves(finding) else None
            except FAULTS as error:  # a rule's fault, of whatever kind
                self._rules.drop(rule, error, finding.primary.line)
                continue
            if weighed is None:
                self._unproven.append(finding)
            else:
                self.scope.explain(finding)
                yield weighed

    def blind(self) -> Iterator[Blind]:
        """Yield the rules that met their subject and could not judge, with what the recording lacks."""
        unproven = {finding.name for finding in self._unproven}
        for rule in self._rules:
            if rule.name in unproven:
                yield Blind(rule.name, rule.disproof)
            elif rule.unchecked:
                yield Blind(rule.name, rule.unchecked)
            elif not any(self.kernel.names.isdisjoint(group) for group in rule.raised_by):
                needs = self.scope.lacks(rule.needs)
                if needs is not None:
                    yield Blind(rule.name, needs)

"""The rules that pages become: queries followed over a trace, and the findings about what they match."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from pathlib import Path
from typing import ClassVar

import msgspec

from tracediag.evidence.bounds import KEPT
from tracediag.evidence.cases import Cases
from tracediag.kernel import Action, Kernel
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.query import Match, Query
from tracediag.query.objects import Directories, ObjectKind
from tracediag.query.stand_ins import StandIn
from tracediag.results.findings import Confidence, Finding, step
from tracediag.rules.base import Rule, Subscription
from tracediag.rules.cases import Case
from tracediag.rules.heads import last_calls
from tracediag.rules.templates import object_of
from tracediag.rules.wording import Said
from tracediag.trace.calls import SYSCALLS
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit, Signal
from tracediag.trace.signals import SIGNALS


class PatternRule(Rule):
    """A rule that is a page; the classes are made by `page_rules.rule_of`."""

    file: ClassVar[Path]
    cases: ClassVar[tuple[Case, ...]]
    absent: ClassVar[Collection[str]]
    """The calls whose absence its queries ask for."""
    most: ClassVar[Confidence]
    """The confidence of its findings where the trace is whole."""

    def __init__(self) -> None:
        self._watches = [(case, case.query.watch()) for case in self.cases]
        self._told: dict[str, Cases[Hashable, None]] = {}
        """What was reported already, by kind of object."""
        self._waiting: Cases[Process, list[tuple[Case, Match, Action, Said]]] = Cases()
        """The matches that count only if their process ends as the page says."""
        self._rests: dict[tuple[str, int], Collection[str]] = {}
        """What the case of a finding says that it rests on, by its title and the line that it is about."""
        self._kept = 0
        """How many these are."""

    @classmethod
    def page_file(cls) -> Path:
        """Return the file of the page."""
        return cls.file

    @classmethod
    def subscriptions(cls) -> dict[Subscription, list[str]]:
        """Return what its queries must see; a call that none of them can match never gets here."""
        found: dict[Subscription, list[str]] = {("end", ""): ["ended"]}
        if any(case.ended is not None for case in cls.cases):
            found["process end", ""] = ["left"]
        for call in (call for case in cls.cases for call in last_calls(case.query.text)):
            found["call", call] = ["seen"]
        for case in cls.cases:
            found.update({subscription: ["heard"] for subscription in _needed(case.query)})
        return found

    @classmethod
    def texts_of(cls, method: str) -> tuple[str, ...]:
        """Return the texts of which a call that matches shows one."""
        texts = [case.query.texts for case in cls.cases] if method == "heard" else []
        return tuple(dict.fromkeys(text for each in texts for text in each)) if all(texts) else ()

    def heard(self, action: Action) -> Iterator[Finding]:
        """Report the matches that a call completes."""
        for case, watch in self._watches:
            for match in watch.feed(action):
                if case.once is None or self._is_first(case.once, action):
                    yield from self._taken(case, match, action)

    def seen(self, action: Action) -> None:
        """Take a call that the queries ask for as the last one before a signal: the model remembers it."""

    def _taken(self, case: Case, match: Match, action: Action) -> Iterator[Finding]:
        """Report a match, or keep it until its process ends."""
        said = case.said(match, action)
        if case.ended is None:
            yield self._about(case, match, action, said)
            return
        if self._kept < KEPT:
            self._kept += 1
            self._waiting.setdefault(action.process, []).append((case, match, action, said))

    def left(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report the matches that counted on how their process would end."""
        for case, found, action, said in self._waiting.pop(end.process, ()):
            self._kept -= 1
            match = msgspec.structs.replace(found, end=end, excerpt=self.scope.is_excerpt)
            if case.ends(match, action, said):
                yield self._about(case, match, action, said)

    def _is_first(self, kind: ObjectKind, action: Action) -> bool:
        """Whether nothing was reported yet of the object of a call."""
        told: Cases[Hashable, None] = self._told.setdefault(kind.name, Cases())
        key = next((key for key, _ in kind.of(action, Directories())), None)
        if key is None or key in told:
            return key is None
        told[key] = None
        return True

    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Report the matches that only the end of the trace decides."""
        del kernel
        for case, watch in self._watches:
            for match in watch.finish(self.scope):
                yield self._about(case, match, None, case.said(match, None))
            self.unchecked = self.unchecked or watch.unchecked

    def _about(self, case: Case, match: Match, action: Action | None, said: Said) -> Finding:
        about = said.steps.get(said.primary or "")
        last = len(match.calls) - 1 if about is None else None
        notes = said.notes or [_outcome(call) for call in match.calls]
        steps = [
            step(call, note, primary=place == last)
            for place, (call, note) in enumerate(zip(match.calls, notes, strict=True))
        ]
        taken = {each.line for each in steps}
        shown = (each for each in said.steps.values() if each.line not in taken)
        found = self.finding(
            [*(msgspec.structs.replace(each, primary=each is about) for each in shown), *steps],
            object=said.object or object_of(match, action),
            title=said.title or "",
            why=said.why or "",
            fix=said.fix or "",
            severity=said.severity,
            confidence=self._weight(case.query, said.confidence or self.most),
            absent=said.absent or (),
            explains=said.explains or (),
        )
        if said.rests_on is not None and len(self._rests) < KEPT:
            self._rests[found.title, found.primary.line] = said.rests_on
        return found

    def rests(self, finding: Finding) -> Collection[str]:
        """Return the calls on whose absence a finding rests: those of its case, else those of all queries."""
        return self._rests.get((finding.title, finding.primary.line), self.absent)

    def _weight(self, query: Query, most: Confidence) -> Confidence:
        """Return the confidence: in an excerpt, calls that are not shown may stand between those of a sequence."""
        if most is Confidence.CERTAIN and not query.is_condition and self.scope.is_excerpt:
            return Confidence.LIKELY
        return most


def _needed(query: Query) -> Iterator[Subscription]:
    """Yield what must be subscribed to for a query to see all that it asks about."""
    if Signal in query.kinds:
        yield from (("signal", name) for name in (SIGNALS if query.signals is None else query.signals))
    if Exit in query.kinds:
        yield "exit", ""
    if query.calls is None and query.errnos is not None:
        yield from (("errno", errno) for errno in query.errnos)
        return
    for call in SYSCALLS if query.calls is None else query.calls:
        if query.errnos is None:
            yield "call", call
        else:
            yield from (("failure", f"{call} {errno}") for errno in query.errnos)


def _outcome(call: Syscall) -> str:
    if isinstance(call, StandIn):
        return "the process ends" if isinstance(call.record, Exit) else f"{call.record.name} is delivered"
    if call.errno is not None:
        return f"fails with {call.errno}"
    return f"returns {call.result}" if call.returned else "has not returned"

"""The rules of one run, each contained: one that raises is dropped, and costs no other rule its findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracediag.results.report import BrokenRule
from tracediag.rules.base import Rule
from tracediag.rules.subscribers import Listener, Subscribers
from tracediag.stopping import FAULTS, is_stop


class RunningRules:
    """The instances of the rules, and which of them hears what."""

    def __init__(self, rules: Iterable[type[Rule]], *, raising: bool) -> None:
        """Instantiate the rules; with `raising` an exception in one is passed on instead of costing its findings."""
        self.broken: list[BrokenRule] = []
        """The rules that raised, and the line at which each did."""
        self._raising = raising
        self.all = list(self._made(rules))
        self.by_name = {rule.name: rule for rule in self.all}
        self.subscribers = Subscribers(self.all)

    def __iter__(self) -> Iterator[Rule]:
        """Iterate over those that have not raised."""
        return iter(self.all)

    def _made(self, rules: Iterable[type[Rule]]) -> Iterator[Rule]:
        """Yield an instance of each rule; one of the user's own may raise already here."""
        for rule in rules:
            try:
                yield rule()
            except FAULTS as error:  # a rule's fault, of whatever kind
                self._record(rule, error, 0)

    def drop_listener(self, listener: Listener, error: BaseException, line: int) -> None:
        """Drop the rule whose method raised."""
        self.drop(listener.__self__, error, line)  # type: ignore[attr-defined]  # listeners are bound methods

    def drop(self, rule: Rule, error: BaseException, line: int) -> None:
        """Drop a rule that raised, and record the reason; on a long trace it would raise at every event."""
        self._record(type(rule), error, line)
        if rule in self.all:
            self.all.remove(rule)
            self.subscribers.bind(self.all)

    def _record(self, rule: type[Rule], error: BaseException, line: int) -> None:
        if self._raising or is_stop(error):
            raise error
        if all(each.rule != rule.name for each in self.broken):
            said = " ".join(f"{type(error).__name__}: {error}".split())
            self.broken.append(BrokenRule(rule=rule.name, line=line, error=said, own=rule.is_own()))

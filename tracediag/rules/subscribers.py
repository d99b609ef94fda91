"""The methods of the rules of one trace, sorted by what they subscribe to.

Which method subscribes to what depends on the classes alone and is worked out once for them; each trace binds these
methods to its own instances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from tracediag.results.findings import Finding
from tracediag.rules.base import Rule
from tracediag.rules.sound import listener

Listener = Callable[[Any], Iterable[Finding] | None]
"""A method of a rule: takes an action, the end of a process, the kernel or a table of counts; yields findings."""
Audience = tuple[Sequence[Listener], Sequence[Listener], Sequence[Listener]]
"""Listeners of a call: on a plain file or device, on anything else, and additionally if there are several threads."""

NO_LISTENERS: Sequence[Listener] = ()

_Methods = tuple[tuple[int, str], ...]
"""Methods, each by the place of its rule among the rules and its name."""
_REMEMBERED = 8
"""Sets of rules whose subscriptions are remembered: a program that analyses many traces uses the same few."""


class Subscribers:
    """The methods of some rules by what they subscribe to."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.bind(rules)

    def bind(self, rules: Sequence[Rule]) -> None:
        """Take the methods of these rules instead of those of any others."""
        bound: dict[_Methods, Sequence[Listener]] = {}
        self._kinds: dict[str, dict[str, Sequence[Listener]]] = {}
        for kind, names in _subscriptions(tuple(map(type, rules))).items():
            listening = self._kinds[kind] = {}
            for name, methods in names.items():
                found = bound.get(methods)  # most names share their methods with many others
                if found is None:
                    found = bound[methods] = tuple(listener(rules[place], method) for place, method in methods)
                listening[name] = found
        self.calls = self._audiences()
        """The audience of each call that has one."""
        self.by_errno = self._named("errno")
        self.by_failure: dict[str, dict[str, Sequence[Listener]]] = {}
        """The listeners of failures of one call, by call and error."""
        for failure, listeners in self._named("failure").items():
            call, _, errno = failure.partition(" ")
            self.by_failure.setdefault(call, {})[errno] = listeners
        self.lasting = self._named("lasting")
        """The listeners of calls that last, by call."""
        self.split = self._named("split")
        """The listeners of calls during which other threads ran, by call."""
        self.on_round = self.of("round")
        self.on_release = self.of("release")
        self.on_process_end = self.of("process end")
        self.on_followed = self.of("followed")

    @property
    def names(self) -> frozenset[str]:
        """The names of all calls that have a listener."""
        return frozenset(self.calls.keys() | self.lasting.keys() | self.split.keys())

    def of(self, kind: str, name: str = "") -> Sequence[Listener]:
        """Return what listens to events of one kind, or to those of one name."""
        return self._named(kind).get(name, NO_LISTENERS)

    def _named(self, kind: str) -> dict[str, Sequence[Listener]]:
        return self._kinds.get(kind, {})

    def _audiences(self) -> dict[str, Audience]:
        calls, traffic, threaded = self._named("call"), self._named("traffic"), self._named("threaded")
        return {
            name: (
                calls.get(name, NO_LISTENERS),
                (*calls.get(name, NO_LISTENERS), *traffic.get(name, NO_LISTENERS)),
                threaded.get(name, NO_LISTENERS),
            )
            for name in calls.keys() | traffic.keys() | threaded.keys()
        }


@lru_cache(_REMEMBERED)
def _subscriptions(rules: tuple[type[Rule], ...]) -> dict[str, dict[str, _Methods]]:
    """Return the methods of classes of rules by kind and name of what they subscribe to, in the order of the rules."""
    found: dict[str, dict[str, _Methods]] = {}
    for place, rule in enumerate(rules):
        for (kind, name), methods in rule.subscriptions().items():
            names = found.setdefault(kind, {})
            names[name] = (*names.get(name, ()), *((place, method) for method in methods))
    return found

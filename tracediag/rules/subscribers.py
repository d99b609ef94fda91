"""The methods of the rules of one trace, sorted by what they subscribe to.

Which method subscribes to what depends on the classes alone and is worked out once for them; each trace binds these
methods to its own instances.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from tracediag.results.findings import Finding
from tracediag.rules.base import Rule
from tracediag.rules.sound import listener

Listener = Callable[[Any], Iterable[Finding] | None]
"""A method of a rule: takes an action, the end of a process, the kernel or a table of counts; yields findings."""

NO_LISTENERS: Sequence[Listener] = ()

_Given = tuple[tuple[Collection[Any], Sequence[Listener]], ...]
"""Methods by the collection of their rule that must not be empty."""
_Method = tuple[int, str, tuple[str, ...], str]
"""A method, by the place of its rule among the rules and its name, with the texts of which it wants to be shown one and
the name of the collection that must not be empty."""
_Methods = tuple[_Method, ...]
_FAILING = ("errno", "failure")
"""Kinds of what is subscribed to that are bound when the first such failure comes."""
_SHOWING = ("call", "errno", "failure")
"""Kinds of what is subscribed to that has arguments to show a text."""
_GIVEN = (*_SHOWING, "traffic")
"""Kinds of what is subscribed to that is so frequent that a rule may want to be spared it."""
_REMEMBERED = 8
"""Sets of rules whose subscriptions are remembered: a program that analyses many traces uses the same few."""


class _Failing(msgspec.Struct, frozen=True):
    """The methods that listen to the failures with one error: as `Failures`, before they are bound."""

    of_all: _Methods = ()
    by_call: dict[str, _Methods] = msgspec.field(default_factory=dict)


class Audience(msgspec.Struct, frozen=True):
    """What listens to some calls: to all of them, or to those that show one of some texts."""

    always: Sequence[Listener] = ()
    choosy: Sequence[tuple[tuple[str, ...], Sequence[Listener]]] = ()
    """Others, by the texts of which the arguments of a call must show one."""
    given: _Given = ()
    """Others, by the collection of theirs that must not be empty."""


class Calls(msgspec.Struct, frozen=True):
    """What listens to the calls of one name."""

    plain: Sequence[Listener]
    """What listens to those made on a plain file or device."""
    other: Sequence[Listener]
    """What listens to all others."""
    plain_given: _Given
    """What listens to those made on a plain file or device as long as it has something to compare them with."""
    other_given: _Given
    """The same for all others."""
    choosy: Sequence[tuple[tuple[str, ...], Sequence[Listener]]]
    """What listens to those that show some text, beside the above."""
    threaded: Sequence[Listener]
    """What listens to those of processes with several threads, beside the above."""
    lasting: Sequence[Listener]
    """What listens to those that last, beside the above."""
    split: Sequence[Listener]
    """What listens to those during which other threads ran, beside the above."""


class Failures(msgspec.Struct, frozen=True):
    """What listens to the failures with one error."""

    of_all: Audience
    """What listens to those of any call that is not among the next."""
    by_call: dict[str, Audience] = msgspec.field(default_factory=dict)


class FailuresByError(dict[str, Failures]):
    """What listens to failures, by error: bound when the first such failure comes.

    There are more than a thousand pairs of an error and a call, and a trace has a few of them.
    """

    def __init__(self, rules: Sequence[Rule], methods: Mapping[str, _Failing]) -> None:
        super().__init__()
        self._rules = rules
        self._methods = methods

    def __missing__(self, errno: str) -> Failures:
        methods = self._methods.get(errno)
        if methods is None:  # and not remembered: a trace may have any number of names
            return _NO_FAILURES
        of_all = _audience(self._rules, methods.of_all)
        joined = {each: _both(of_all, _audience(self._rules, each)) for each in set(methods.by_call.values())}
        found = Failures(of_all, {call: joined[each] for call, each in methods.by_call.items()})
        self[errno] = found
        return found


class Subscribers:
    """The methods of some rules by what they subscribe to."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.bind(rules)

    def bind(self, rules: Sequence[Rule]) -> None:
        """Take the methods of these rules instead of those of any others."""
        bound: dict[_Methods, Audience] = {}
        self._kinds: dict[str, dict[str, Audience]] = {}
        classes = tuple(map(type, rules))
        for kind, names in _subscriptions(classes).items():
            if kind in _FAILING:
                continue
            listening = self._kinds[kind] = {}
            for name, methods in names.items():
                found = bound.get(methods)  # most names share their methods with many others
                if found is None:
                    found = bound[methods] = _audience(rules, methods)
                listening[name] = found
        self.calls = self._calls()
        """The listeners of calls, by name."""
        self.failures = FailuresByError(rules, _failing(classes))
        """The listeners of failures, by error."""
        self.on_round = self.of("round")
        self.on_release = self.of("release")
        self.on_process_end = self.of("process end")
        self.on_followed = self.of("followed")

    @property
    def names(self) -> frozenset[str]:
        """The names of all calls that have a listener."""
        return frozenset(self.calls)

    def of(self, kind: str, name: str = "") -> Sequence[Listener]:
        """Return what listens to events of one kind, or to those of one name."""
        return self._named(kind).get(name, _NONE).always

    def _named(self, kind: str) -> dict[str, Audience]:
        return self._kinds.get(kind, {})

    def _calls(self) -> dict[str, Calls]:
        kinds = ("call", "traffic", "threaded", "lasting", "split")
        every = [self._named(kind) for kind in kinds]
        found = {}
        for name in frozenset().union(*every):
            call, traffic, threaded, lasting, split = (named.get(name, _NONE) for named in every)
            found[name] = Calls(
                plain=call.always,
                other=(*call.always, *traffic.always),
                plain_given=call.given,
                other_given=(*call.given, *traffic.given),
                choosy=call.choosy,
                threaded=threaded.always,
                lasting=lasting.always,
                split=split.always,
            )
        return found


_NONE = Audience()
_NO_FAILURES = Failures(_NONE)


def _audience(rules: Sequence[Rule], methods: _Methods) -> Audience:
    heard: dict[tuple[str, ...], list[Listener]] = {}
    given: list[tuple[Collection[Any], Sequence[Listener]]] = []
    for place, name, texts, held in methods:
        method = listener(rules[place], name)
        if held:
            given.append((getattr(rules[place], held), (method,)))
        else:
            heard.setdefault(texts, []).append(method)
    always = heard.pop((), ())
    return Audience(tuple(always), tuple(heard.items()), tuple(given))


def _both(one: Audience, other: Audience) -> Audience:
    return Audience((*one.always, *other.always), (*one.choosy, *other.choosy), (*one.given, *other.given))


@lru_cache(_REMEMBERED)
def _subscriptions(rules: tuple[type[Rule], ...]) -> dict[str, dict[str, _Methods]]:
    """Return the methods of classes of rules by kind and name of what they subscribe to, in the order of the rules."""
    found: dict[str, dict[str, _Methods]] = {}
    for place, rule in enumerate(rules):
        for (kind, name), methods in rule.subscriptions().items():
            names, choosy, spared = found.setdefault(kind, {}), kind in _SHOWING, kind in _GIVEN
            names[name] = (
                *names.get(name, ()),
                *(
                    (place, method, rule.texts_of(method) if choosy else (), rule.given_to(method) if spared else "")
                    for method in methods
                ),
            )
    return found


@lru_cache(_REMEMBERED)
def _failing(rules: tuple[type[Rule], ...]) -> dict[str, _Failing]:
    """Return the methods of classes of rules that listen to failures, by error."""
    subscribed = _subscriptions(rules)
    found = {errno: _Failing(methods) for errno, methods in subscribed.get("errno", {}).items()}
    for failure, methods in subscribed.get("failure", {}).items():
        call, _, errno = failure.partition(" ")
        found.setdefault(errno, _Failing()).by_call[call] = methods
    return found

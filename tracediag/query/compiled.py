"""A compiled condition, with its index: the calls, errors, signals and texts without which it cannot be true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tracediag.query.comparisons import Test
from tracediag.query.stand_ins import CALLS, Kinds, kind_of
from tracediag.query.subject import Subject
from tracediag.trace.events import Syscall
from tracediag.trace.records import Signal

_NONE: frozenset[str] = frozenset()
MOST_TEXTS = 8
"""Texts for which the lines of a trace are searched."""


class Leaf(msgspec.Struct, frozen=True):
    """One comparison of a query."""

    text: str
    """As written."""
    test: Test
    read: Callable[[Subject], Any]
    every: bool = False
    """Whether it reads the call before, so that every call must be seen."""


class Compiled(msgspec.Struct, frozen=True):
    """A condition."""

    test: Test
    calls: frozenset[str] | None = None
    """The names of the calls that can match; None if any can."""
    errnos: frozenset[str] | None = None
    """The errors with which a call can match; None if any, and none, can."""
    model: bool = False
    """Whether it reads the model of the kernel."""
    leaves: tuple[Leaf, ...] = ()
    texts: tuple[str, ...] = ()
    """Texts of which the arguments of a call that matches show at least one; () if none is known."""
    kinds: Kinds | None = CALLS
    """The kinds of events that it is about; None where all have what it reads."""
    signals: frozenset[str] | None = _NONE
    """The names of the signals that can match; None if any can."""

    @property
    def possible(self) -> bool:
        """Whether an event can match."""
        return self.kinds != CALLS or _NONE not in (self.calls, self.errnos)

    def settled(self, *, mixed: bool) -> Compiled:
        """Return it as a query asks it; with `mixed`, events of several kinds come."""
        kinds, test = self.kinds or CALLS, self.test
        if kinds == CALLS and not mixed:
            return msgspec.structs.replace(self, kinds=kinds, signals=_NONE)
        has_calls, has_signals = Syscall in kinds, Signal in kinds
        return msgspec.structs.replace(
            self,
            test=lambda it: kind_of(it.call) in kinds and test(it),
            calls=self.calls if has_calls else _NONE,
            errnos=self.errnos if has_calls else _NONE,
            kinds=kinds,
            signals=self.signals if has_signals else _NONE,
        )


def both(parts: list[Compiled]) -> Compiled:
    """Return the condition that is true where all parts are."""
    tests = tuple(part.test for part in parts)
    if len(tests) == 2:
        one, other = tests
        return _joined(parts, lambda it: one(it) and other(it), _common)
    return _joined(parts, lambda it: all(test(it) for test in tests), _common)


def either(parts: list[Compiled]) -> Compiled:
    """Return the condition that is true where a part is; a part about events of any kind is then one about calls."""
    if any(part.kinds not in (None, CALLS) for part in parts):
        parts = [part.settled(mixed=True) for part in parts]
    tests = tuple(part.test for part in parts)
    return _joined(parts, lambda it: any(test(it) for test in tests), _united)


def _joined(parts: list[Compiled], test: Test, join: Callable[[list[Any]], frozenset[str] | None]) -> Compiled:
    leaves = tuple(leaf for part in parts for leaf in part.leaves)
    calls, errnos = join([part.calls for part in parts]), join([part.errnos for part in parts])
    texts = [frozenset(part.texts) or None for part in parts]
    shown = _united(texts) if join is _united else next((each for each in texts if each), None)
    shown = shown if shown is not None and len(shown) <= MOST_TEXTS else frozenset()
    kinds = [part.kinds for part in parts if part.kinds is not None]
    return Compiled(
        test,
        calls,
        errnos,
        any(part.model for part in parts),
        leaves,
        tuple(sorted(shown)),
        None if not kinds else frozenset().union(*kinds) if join is _united else frozenset.intersection(*kinds),
        join([part.signals for part in parts]),
    )


def negated(part: Compiled) -> Compiled:
    """Return the condition that is true where the part is not; nothing is known of the calls that match."""
    test, kinds = part.test, part.kinds
    known = _NONE if kinds is not None and Syscall not in kinds else None
    return Compiled(
        lambda it: not test(it),
        known,
        known,
        model=part.model,
        leaves=part.leaves,
        kinds=kinds,
        signals=None if kinds is None or Signal in kinds else _NONE,
    )


def _common(sets: list[frozenset[str] | None]) -> frozenset[str] | None:
    known = [each for each in sets if each is not None]
    return frozenset.intersection(*known) if known else None


def _united(sets: list[frozenset[str] | None]) -> frozenset[str] | None:
    known = [each for each in sets if each is not None]
    return frozenset().union(*known) if len(known) == len(sets) else None

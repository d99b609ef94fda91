"""A compiled condition, with its index: the calls, errors and texts without which it cannot be true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tracediag.query.comparisons import Test
from tracediag.query.subject import Subject

MOST_TEXTS = 8
"""Texts for which the lines of a trace are searched."""


class Leaf(msgspec.Struct, frozen=True):
    """One comparison of a query."""

    text: str
    """As written."""
    test: Test
    read: Callable[[Subject], Any]


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


def both(parts: list[Compiled]) -> Compiled:
    """Return the condition that is true where all parts are."""
    tests = tuple(part.test for part in parts)
    if len(tests) == 2:
        one, other = tests
        return _joined(parts, lambda it: one(it) and other(it), _common)
    return _joined(parts, lambda it: all(test(it) for test in tests), _common)


def either(parts: list[Compiled]) -> Compiled:
    """Return the condition that is true where a part is."""
    tests = tuple(part.test for part in parts)
    return _joined(parts, lambda it: any(test(it) for test in tests), _united)


def _joined(parts: list[Compiled], test: Test, join: Callable[[list[Any]], frozenset[str] | None]) -> Compiled:
    leaves = tuple(leaf for part in parts for leaf in part.leaves)
    calls, errnos = join([part.calls for part in parts]), join([part.errnos for part in parts])
    texts = [frozenset(part.texts) or None for part in parts]
    shown = _united(texts) if join is _united else next((each for each in texts if each), None)
    shown = shown if shown is not None and len(shown) <= MOST_TEXTS else frozenset()
    return Compiled(test, calls, errnos, any(part.model for part in parts), leaves, tuple(sorted(shown)))


def negated(part: Compiled) -> Compiled:
    """Return the condition that is true where the part is not; nothing is known of the calls that match."""
    test = part.test
    return Compiled(lambda it: not test(it), model=part.model, leaves=part.leaves)


def _common(sets: list[frozenset[str] | None]) -> frozenset[str] | None:
    known = [each for each in sets if each is not None]
    return frozenset.intersection(*known) if known else None


def _united(sets: list[frozenset[str] | None]) -> frozenset[str] | None:
    known = [each for each in sets if each is not None]
    return frozenset().union(*known) if len(known) == len(sets) else None

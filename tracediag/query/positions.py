"""A regular expression as a graph: its places, the characters that each takes, and which place may follow which.

The places are those of Glushkov's construction, kept with the number of ways from one to the next: two ways by which
a repeat can come to the same place are what backtracking tries in turn.
"""

from __future__ import annotations

import re
import re._constants as op  # type: ignore[import-not-found]
import re._parser as reader  # type: ignore[import-not-found]
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from tracediag.query.characters import ALL, OTHERS, folded, taken

MOST_PLACES = 2_000
"""Places of an expression."""
_MOST_WAYS = 2
"""Ways to take nothing that are counted: two are what backtracking tries in turn, and so are more."""


class TooLargeError(ValueError):
    """An expression has more than `MOST_PLACES` places."""


class Part(msgspec.Struct):
    """A part of an expression: how it may begin and end."""

    first: Counter[int]
    last: Counter[int]
    empty: int
    """The number of ways to take nothing, up to `_MOST_WAYS`; 0 where it has to take a character."""


class Graph:
    """The places of an expression."""

    def __init__(self, pattern: str) -> None:
        """Build the graph.

        Raises:
            re.error: if it is no regular expression.
            TooLargeError: if it is too large to be analysed.
        """
        self.takes: list[frozenset[int]] = []
        """By place: the characters that it takes."""
        self.follow: list[Counter[int]] = []
        """By place: the places that may follow, each with the number of ways."""
        parsed = reader.parse(pattern)
        self.caseless = _CASELESS(pattern) is not None
        """Whether case is ignored, if only in a part."""
        self.anchored = not parsed.state.flags & re.MULTILINE and _is_anchored(parsed)
        """Whether it can match at the beginning of the text alone."""
        self.inner: list[Graph] = []
        """The graphs of what no search goes back into."""
        self.looks_around = False
        """Whether a repeat looks ahead or behind over any number of characters."""
        self.long: set[int] = set()
        """The places that take any number of characters, or look at as many."""
        self._widths = parsed.state.groupwidths
        self._is_ascii = bool(parsed.state.flags & re.ASCII) or "(?a" in pattern
        self._depth = 0
        self.begins = self._sequence(parsed).first
        """The places that may come first, each with the number of ways."""

    def _place(self, takes: frozenset[int]) -> Part:
        if len(self.takes) >= MOST_PLACES:
            raise TooLargeError
        if self.caseless:
            takes = folded(takes)
        if self._is_ascii:  # then \W takes letters beyond ASCII
            takes |= OTHERS
        self.takes.append(takes)
        self.follow.append(Counter())
        place = Counter({len(self.takes) - 1: 1})
        return Part(place, place, empty=0)

    def _join(self, ends: Counter[int], begins: Counter[int]) -> None:
        for one, ways in ends.items():
            for other, more in begins.items():
                self.follow[one][other] += ways * more

    def _sequence(self, items: Iterable[Any]) -> Part:
        whole = Part(Counter(), Counter(), empty=1)
        for kind, held in items:
            part = self._part(kind, held)
            self._join(whole.last, part.first)
            whole = Part(
                whole.first + _times(part.first, whole.empty),
                part.last + _times(whole.last, part.empty),
                min(whole.empty * part.empty, _MOST_WAYS),
            )
        return whole

    def _part(self, kind: Any, held: Any) -> Part:
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            return self._repeat(*held)
        if kind is op.SUBPATTERN:
            return self._sequence(held[-1])
        if kind is op.BRANCH:
            return self._branch(held[1])
        if kind is op.ATOMIC_GROUP:
            return self._closed(held)
        if kind is op.POSSESSIVE_REPEAT:
            part = self._closed(held[2])
            return Part(part.first, part.last, part.empty or int(held[0] == 0))
        if kind in (op.AT, op.FAILURE):
            return Part(Counter(), Counter(), empty=1)
        if kind in (op.ASSERT, op.ASSERT_NOT):
            return self._look(held[1])
        if kind is op.GROUPREF_EXISTS:
            return self._branch([each for each in held[1:] if each is not None])
        if kind is op.GROUPREF:
            found = self._place(ALL)
            if self._widths[held] is None or self._widths[held][1] > 1:  # it takes as much as the group did
                self._join(found.last, found.first)
            return Part(found.first, found.last, empty=1)
        return self._place(taken(kind, held))

    def _repeat(self, least: int, most: int, body: Any) -> Part:
        before = len(self.takes)
        self._depth += most > 1
        part = self._sequence(body)
        self._depth -= most > 1
        looped = any(self.follow[place] for place in range(before, len(self.takes)))
        if most > 1 and (least != most or len(self.takes) > before + 1 or part.empty or looped):
            self._join(part.last, part.first)
            if part.empty:  # each turn may take nothing: which turns do is a choice of its own
                self._join(part.last, part.first)
        return Part(part.first, part.last, min(part.empty + (least == 0), _MOST_WAYS))

    def _branch(self, branches: Iterable[Any]) -> Part:
        parts = [self._sequence(each) for each in branches]
        first = sum((part.first for part in parts), Counter[int]())
        last = sum((part.last for part in parts), Counter[int]())
        return Part(first, last, min(sum(part.empty for part in parts), _MOST_WAYS))

    def _closed(self, body: Any) -> Part:
        """Return a part into which no search goes back: one place for all of it."""
        inner, part = self._apart(body)
        if not inner.takes:
            return Part(Counter(), Counter(), empty=1)
        found = self._place(frozenset().union(*inner.takes))
        if inner.repeats:
            self.long |= found.first.keys()
        return Part(found.first, found.last, part.empty)

    def _look(self, body: Any) -> Part:
        """Return what looks ahead or behind: it takes nothing, but may look at all that follows."""
        inner, _part = self._apart(body)
        self.looks_around = self.looks_around or inner.looks_around or (inner.repeats and self._depth > 0)
        if not inner.repeats or self._depth > 0:
            return Part(Counter(), Counter(), empty=1)
        found = self._place(frozenset().union(*inner.takes))
        self.long |= found.first.keys()
        return Part(found.first, found.last, empty=1)

    @property
    def repeats(self) -> bool:
        """Whether it takes any number of characters."""
        return bool(self.long) or any(other <= one for one, others in enumerate(self.follow) for other in others)

    def _apart(self, body: Any) -> tuple[Graph, Part]:
        """Return the graph of a part that matches for itself, without what follows."""
        inner = Graph.__new__(Graph)
        inner.takes, inner.follow, inner.caseless = [], [], self.caseless
        inner.inner, inner.long, inner.looks_around, inner.anchored = [], set(), False, False
        inner._widths, inner._depth, inner._is_ascii = self._widths, 0, self._is_ascii  # noqa: SLF001  # a graph of the same class
        part = inner._sequence(body)  # noqa: SLF001
        inner.begins = part.first
        self.inner += [inner, *inner.inner]
        if sum(len(each.takes) for each in (self, *self.inner)) > MOST_PLACES:
            raise TooLargeError
        return inner, part


def _is_anchored(items: Any) -> bool:
    """Whether what an expression begins with matches at the beginning of the text alone."""
    for kind, held in items:
        if kind is op.AT:
            return held in (op.AT_BEGINNING, op.AT_BEGINNING_STRING)
        if kind is op.SUBPATTERN:
            return _is_anchored(held[-1])
        return kind is op.BRANCH and all(_is_anchored(each) for each in held[1])
    return False


_CASELESS = re.compile(r"\(\?[a-hj-zA-Z]*+i").search
"""Finds the flag that makes an expression, or a group of it, ignore case."""


def _times(places: Counter[int], ways: int) -> Counter[int]:
    return Counter({place: many * ways for place, many in places.items()}) if ways else Counter()

"""Counts the steps in which a backtracking search tries an expression: the measure that no clock disturbs.

It does what the module `re` does, without its shortcuts: it tries the parts in their order, and goes back to the last
choice when one fails.
"""

from __future__ import annotations

import re._constants as op
import re._parser as reader
from collections.abc import Callable
from typing import Any

Then = Callable[[int], bool]
"""What is to match from a place of the text on."""


class TooManyStepsError(Exception):
    """The search has taken more steps than allowed."""


class Search:
    """One search."""

    def __init__(self, pattern: str, text: str, most: int) -> None:
        self.text, self.steps, self.most = text, 0, most
        items = list(reader.parse(pattern))
        for start in range(len(text) + 1):
            if self.all_of(items, start, lambda _place: True):
                return

    def all_of(self, items: list[Any], place: int, then: Then) -> bool:
        """Whether parts in a row match, and what is to follow them."""
        if not items:
            return then(place)
        return self.one(items[0], place, lambda end: self.all_of(items[1:], end, then))

    def one(self, item: Any, place: int, then: Then) -> bool:
        """Whether a part matches, and what is to follow it."""
        kind, held = item
        self.steps += 1
        if self.steps > self.most:
            raise TooManyStepsError
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            return self.repeat(held, place, then, 0, lazy=kind is op.MIN_REPEAT)
        if kind is op.SUBPATTERN:
            return self.all_of(list(held[-1]), place, then)
        if kind is op.BRANCH:
            return any(self.all_of(list(each), place, then) for each in held[1])
        if kind is op.AT:
            return (place == 0 if held is op.AT_BEGINNING else place == len(self.text)) and then(place)
        if kind is op.ATOMIC_GROUP:
            ends: list[int] = []
            return self.all_of(list(held), place, lambda end: ends.append(end) or True) and then(ends[0])
        if kind in (op.ASSERT, op.ASSERT_NOT):
            return self.all_of(list(held[1]), place, lambda _end: True) is (kind is op.ASSERT) and then(place)
        return place < len(self.text) and takes(kind, held, ord(self.text[place])) and then(place + 1)

    def repeat(self, held: Any, place: int, then: Then, turns: int, *, lazy: bool) -> bool:
        """Whether a repeat matches from its next turn on: greedy ones try another turn before what follows."""
        least, most, body = held

        def again() -> bool:
            def turned(end: int) -> bool:
                return (end > place or turns < least) and self.repeat(held, end, then, turns + 1, lazy=lazy)

            return turns < most and self.all_of(list(body), place, turned)

        self.steps += 1
        enough = turns >= least
        if lazy:
            return (enough and then(place)) or again()
        return again() or (enough and then(place))


def takes(kind: Any, held: Any, code: int) -> bool:
    """Whether one item takes a character."""
    if kind is op.IN:
        negated = held[0][0] is op.NEGATE
        return any(takes(*item, code) for item in held if item[0] is not op.NEGATE) is not negated
    if kind is op.RANGE:
        return held[0] <= code <= held[1]
    if kind is op.CATEGORY:
        return held is op.CATEGORY_DIGIT and chr(code).isdigit()
    return kind is op.ANY or (code == held) is (kind is op.LITERAL)


def steps_of(pattern: str, text: str, most: int) -> int:
    """Return the steps of a search, or `most` where it takes more."""
    try:
        return Search(pattern, text, most).steps
    except TooManyStepsError:
        return most

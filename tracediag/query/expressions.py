"""Regular expressions that can take very long on some text: an expression may be careless, and the text hostile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import prod

from tracediag.query.positions import Graph, TooLargeError
from tracediag.trace.patterns import lazy_pattern

MOST_TEXT = 2_000
"""Characters of an expression."""
MOST_SHARING = 2
"""Repeats, one after the other, that can divide the same text among themselves; where a match begins is such a choice.

The time of a search grows at most with the square of the length of the text.
"""
MOST_PLACES = 300
"""Places of an expression with repeats: with more, to look at them would take long. A list of words may have more."""
MOST_WAYS = 1_000
"""Ways through an expression, repeats apart, by which the same text can be matched."""
_MOST_WAYS_SHARING = 16
"""Likewise, where the time grows with the square."""

_AMBIGUOUS = (
    "this expression can take forever: a repeat in it, or around it, can match the same text in many ways; write a+ in"
    " place of (a+)+, and let the branches of (a|b)+ begin with different characters"
)
_SHARED = (
    "this expression can take very long: {} repeats can match the same text; {}let each take other characters, such as"
    " [^/]* in place of .*"
)
_TOO_LARGE = "this expression is too large"
_LOOKS = "this expression can take very long: a repeat looks ahead or behind over a text of any length"
_WAYS = "this expression can take very long: its branches and optional parts can match the same text in many ways"

Pair = tuple[int, int]


@lru_cache(64)
def danger(pattern: str) -> str | None:
    """Return why an expression can take very long, None if it cannot; also None for one that is no expression.

    `(a+)+` can divide one text in exponentially many ways among its turns; `a.*b.*c` in as many as the square of its
    length, at each place where a match may begin.
    """
    if len(pattern) > MOST_TEXT:
        return f"this expression has more than {MOST_TEXT:,} characters"
    try:
        graph = Graph(pattern)
    except TooLargeError:
        return _TOO_LARGE
    except (re.error, OverflowError):
        return None
    except RecursionError:
        return "this expression nests too deeply"
    found = (_danger_of(each) for each in (graph, *graph.inner))
    return next((why for why in found if why is not None), None)


def _danger_of(graph: Graph) -> str | None:
    if graph.looks_around:
        return _LOOKS
    if graph.repeats and len(graph.takes) > MOST_PLACES:
        return _TOO_LARGE
    loops = _loops(graph) if graph.repeats else []
    if any(_is_ambiguous(graph, loop) for loop in loops):
        return _AMBIGUOUS
    shared = _sharing(graph, loops)
    choices = shared + (not graph.anchored)
    if choices > MOST_SHARING:
        return _SHARED.format(shared, "begin it with ^, or " if shared == MOST_SHARING else "")
    return _WAYS if _ways(graph, loops) > (_MOST_WAYS_SHARING if choices == MOST_SHARING else MOST_WAYS) else None


def _loops(graph: Graph) -> list[frozenset[int]]:
    """Return the groups of places that can be reached from each other, in the order of the text."""
    reached = [_reachable(graph, [place]) for place in range(len(graph.takes))]
    found: dict[frozenset[int], None] = {}
    for place, others in enumerate(reached):
        if place in others:
            found[frozenset(other for other in others if place in reached[other])] = None
    return sorted(found, key=min)


def _reachable(graph: Graph, starts: Iterable[int], over: frozenset[int] | None = None) -> set[int]:
    """Return the places that can follow, over a text of some characters."""
    seen: set[int] = set()
    waiting = list(starts)
    while waiting:
        for other in graph.follow[waiting.pop()]:
            if other not in seen and (over is None or over & graph.takes[other]):
                seen.add(other)
                waiting.append(other)
    return seen


def _is_ambiguous(graph: Graph, loop: frozenset[int]) -> bool:
    """Whether one text can lead from a place of a loop back to it by two ways."""
    inside = {one: [other for other in graph.follow[one] if other in loop] for one in loop}
    if any(graph.follow[one][other] > 1 for one in loop for other in inside[one]):
        return True
    # Two walks at a time, from one place, over the same text: apart, and together again.
    apart = {pair for one in loop for pair in _steps(graph, inside, (one, one)) if pair[0] != pair[1]}
    waiting = list(apart)
    while waiting:
        for pair in _steps(graph, inside, waiting.pop()):
            if pair[0] == pair[1]:
                return True
            if pair not in apart:
                apart.add(pair)
                waiting.append(pair)
    return False


def _steps(graph: Graph, inside: dict[int, list[int]], pair: Pair) -> Iterator[Pair]:
    for one in inside[pair[0]]:
        for other in inside[pair[1]]:
            if not graph.takes[one].isdisjoint(graph.takes[other]):
                yield one, other


def _sharing(graph: Graph, loops: list[frozenset[int]]) -> int:
    """Return how many loops, one after the other, can take the same characters.

    What no search goes back into is no choice, but it is tried at each place to which a loop before it may come.
    """
    chains: list[tuple[frozenset[int], int, frozenset[int]]] = []
    most = 0
    long = [frozenset({place}) for place in graph.long if not any(place in loop for loop in loops)]
    for loop in sorted((*loops, *long), key=min):
        takes = frozenset().union(*(graph.takes[place] for place in loop))
        length, shared = 1, takes
        for before, so_far, common in chains:
            both = common & takes
            if (
                so_far >= length
                and both
                and not loop.isdisjoint(_reachable(graph, _turning(graph, before, both), both))
            ):
                length, shared = so_far + 1, both
        most = max(most, length)
        if loop not in long:
            chains.append((loop, length, shared))
    return most


def _turning(graph: Graph, loop: frozenset[int], over: frozenset[int]) -> list[int]:
    """Return the places of a loop to which a text of some characters can come back."""
    return [place for place in loop if over & graph.takes[place] and place in _reachable(graph, [place], over)]


def _ways(graph: Graph, loops: list[frozenset[int]]) -> int:
    """Return in how many ways, at most, one text can be divided among the places, except by how often a loop turns."""
    own = {place: loop for loop in loops for place in loop}
    exits: dict[object, int] = {None: _choices(graph, graph.begins)}
    for place, others in enumerate(graph.follow):
        loop = own.get(place)
        outside = {other: ways for other, ways in others.items() if loop is None or other not in loop}
        key = place if loop is None else loop
        exits[key] = max(exits.get(key, 1), _choices(graph, outside))
    return prod(exits.values())


def _choices(graph: Graph, places: dict[int, int]) -> int:
    """Return how many of some places, at most, can take the same character."""
    held = [(graph.takes[place], ways) for place, ways in places.items()]
    codes = frozenset().union(*(takes for takes, _ways in held)) if len(held) > 1 or any(w > 1 for _, w in held) else ()
    return max((sum(ways for takes, ways in held if code in takes) for code in codes), default=1)


def loose_dots(pattern: str) -> Iterator[int]:
    r"""Yield the indexes of dots between characters that stand for themselves: `config.json` for `config\.json`."""
    for found in _LOOSE_DOT.finditer(_CLASS.sub(lambda held: "#" * len(held[0]), pattern)):
        yield found.end() - 1


_CLASS = lazy_pattern(r"\\.|\[\^?+\]?+(?>[^\]\\]|\\.)*+\]", re.DOTALL)
_LOOSE_DOT = lazy_pattern(r"[\w/-]\.(?=[\w/-])")

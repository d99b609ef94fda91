"""Regular expressions that can take forever on some text: a page comes from somebody, and the text from a trace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tracediag.ownrules.positions import Graph, TooLargeError
from tracediag.trace.patterns import lazy_pattern

MOST_TEXT = 2_000
"""Characters of an expression."""
_MOST_SHARING = 2
"""Repeats, one after the other, that can divide the same text among themselves."""

Pair = tuple[int, int]


def danger(pattern: str) -> str | None:
    """Return why an expression can take forever, None if it cannot; also None for one that is no expression.

    `(a+)+` can divide one text in exponentially many ways among its turns; `.*a.*b.*c` in as many as the cube of its
    length.
    """
    if len(pattern) > MOST_TEXT:
        return f"this expression has more than {MOST_TEXT:,} characters"
    try:
        graph = Graph(pattern)
    except TooLargeError:
        return "this expression is too large"
    except (re.error, OverflowError):
        return None
    except RecursionError:
        return "this expression nests too deeply"
    loops = _loops(graph)
    if any(_is_ambiguous(graph, loop) for loop in loops):
        return "this expression can take forever: a repeat in it, or around it, can match the same text in many ways"
    if _sharing(graph, loops) > _MOST_SHARING:
        return f"this expression can take forever: more than {_MOST_SHARING} repeats can match the same text"
    return None


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
    """Return how many loops, one after the other, can take the same characters."""
    chains: list[tuple[frozenset[int], int, frozenset[int]]] = []
    for loop in loops:
        takes = frozenset().union(*(graph.takes[place] for place in loop))
        length, shared = 1, takes
        for before, so_far, common in chains:
            both = common & takes
            if so_far >= length and both and not loop.isdisjoint(_reachable(graph, before, both)):
                length, shared = so_far + 1, both
        chains.append((loop, length, shared))
    return max((length for _loop, length, _shared in chains), default=0)


def loose_dots(pattern: str) -> Iterator[int]:
    r"""Yield the indexes of dots between characters that stand for themselves: `config.json` for `config\.json`."""
    for found in _LOOSE_DOT.finditer(_CLASS.sub(lambda held: "#" * len(held[0]), pattern)):
        yield found.end() - 1


_CLASS = lazy_pattern(r"\\.|\[\^?+\]?+(?>[^\]\\]|\\.)*+\]", re.DOTALL)
_LOOSE_DOT = lazy_pattern(r"[\w/-]\.(?=[\w/-])")

"""Decides from the first lines of a trace what has to be undone, and undoes it in all of them.

The order matters only where one damage hides another: each round undoes the outermost, then looks again. A plain
trace shows no damage and passes through untouched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from typing import NamedTuple

from tracediag.reading.margins import starts
from tracediag.reading.margins.characters import (
    find_colours,
    find_entities,
    find_markdown,
    find_tags,
    find_typography,
)
from tracediag.reading.margins.joins import find_hard_wraps, find_quoted_printable, find_soft_wraps
from tracediag.reading.margins.plain import is_plain
from tracediag.reading.margins.reversal import Turned, is_newest_first
from tracediag.reading.margins.undoing import Finder, Undoing

LOOK_AHEAD = 500
"""Number of lines examined before the first event is yielded."""
LONGEST = 4096
"""Of each of them, so many characters; of few, as many more."""
ROUNDS = 10
NESTED = 2
"""One kind of damage is undone so many times at most: a journal in a quote has two margins."""

_WITHIN: tuple[Finder, ...] = (find_quoted_printable, find_tags, find_entities, find_typography, find_markdown)
"""What can be found in lines that are plain records of strace."""


@cache
def _finders() -> tuple[Finder, ...]:
    """Return what can be found in other lines; most traces are plain, and need not pay for the import."""
    from tracediag.reading.margins.cells import find_cells  # noqa: PLC0415
    from tracediag.reading.margins.context import find_context  # noqa: PLC0415
    from tracediag.reading.margins.ends import find_right_margin, find_underlines  # noqa: PLC0415
    from tracediag.reading.margins.literals import find_literals  # noqa: PLC0415
    from tracediag.reading.margins.numbers import find_glued  # noqa: PLC0415
    from tracediag.reading.margins.runs import find_runs  # noqa: PLC0415
    from tracediag.reading.margins.shapes import find_left_margin  # noqa: PLC0415

    return (
        find_quoted_printable,
        find_colours,
        find_tags,
        find_entities,
        find_cells,
        find_literals,
        find_typography,
        find_markdown,
        find_underlines,
        find_runs,
        find_context,
        find_glued,
        find_right_margin,
        find_left_margin,
        find_hard_wraps,
        find_soft_wraps,
    )


class Opening(NamedTuple):
    """A trace whose first lines have been seen."""

    raw: list[str]
    """The first lines as they are."""
    sample: list[str]
    """The same without what was put around them."""
    turned: bool
    """Whether the newest line stands first: the lines come in reverse, the last one as line 1."""
    pieces: Iterator[str]
    """All text without that, from the first line on, in pieces of complete lines.

    An empty piece means that no more data has arrived for a moment.
    """


def opened(pieces: Iterable[str]) -> Opening:
    """Look at the first lines of a trace, and decide what to undo in all of them."""
    pieces = iter(pieces)
    first = _first(pieces)
    raw = _sample(first)
    every = chain((first,), pieces) if first else pieces
    undoings = found_in(raw)
    turned = any(isinstance(undoing, Turned) for undoing in undoings)
    if undoings:
        every = _undone(every, undoings)
        first = _first(every)
        every = chain((first,), every)
    return Opening(raw, _sample(first) if undoings else raw, turned, every)


def _sample(text: str) -> list[str]:
    return text.split("\n", LOOK_AHEAD)[:LOOK_AHEAD]


def _first(pieces: Iterator[str]) -> str:
    first = ""
    for piece in pieces:
        first += piece
        if first.count("\n") >= LOOK_AHEAD or (first and not piece):
            break
    return first


def found_in(lines: list[str]) -> list[Undoing]:
    """Return what has to be undone, the outermost first."""
    longest = LONGEST * LOOK_AHEAD // max(1, len(lines))
    lines = recorded = [line[:longest] for line in lines]
    undoings: list[Undoing] = []
    finders = _WITHIN if is_plain(lines) else _finders()
    left = Counter(dict.fromkeys(finders, NESTED))
    for _ in range(ROUNDS):
        found = None
        for find in finders:
            if left[find] and (found := find(lines)) is not None:
                left[find] -= 1
                break
        if found is None:
            break
        undoings.append(found)
        lines = (found.lines(lines) + found.rest())[:LOOK_AHEAD]
    if is_newest_first(recorded) or (undoings and is_newest_first(lines)):
        undoings.append(Turned())
    starts.forget()
    return undoings


def _undone(pieces: Iterable[str], undoings: list[Undoing]) -> Iterator[str]:
    for piece in pieces:
        if not piece:
            yield ""
        elif lines := _through(undoings, piece.removesuffix("\n").split("\n")):
            yield "\n".join(lines) + "\n"
    lines = []
    for undoing in undoings:
        lines = (undoing.lines(lines) if lines else []) + undoing.rest()
    if lines:
        yield "\n".join(lines) + "\n"


def _through(undoings: list[Undoing], lines: list[str]) -> list[str]:
    for undoing in undoings:
        lines = undoing.lines(lines)
    return lines

"""The ends of calls on lines of their own, without the name of the call."""

from __future__ import annotations

from itertools import islice

from tracediag.reading.frame import Frame, split_end, split_mark
from tracediag.reading.halves import ENDLESS, Place
from tracediag.reading.join import Joiner
from tracediag.reading.result import read_result
from tracediag.trace.patterns import lazy_pattern

_REST = lazy_pattern(r"[)\"\[{,~]|\d|NULL|0x| *=> |[a-z_]+=")
"""How the rest of a call begins if its first half is not in the trace."""


def is_rest(text: str) -> bool:
    """Return whether a line is the end of a call whose start is not in the trace."""
    if (marked := split_mark(text)) is not None:
        return not marked[0]
    bare = text.lstrip()
    if bare.startswith("=") and (result := read_result(bare)) is not None and result.end == len(bare):
        return True  # `qemu -strace` prints the result of a call that another process's lines cut off
    return _REST.match(text) is not None and split_end(text) is not None


def bare_end(text: str, number: int, joiner: Joiner) -> tuple[Place, Frame] | None:
    """Read a rest without `<... resumed>` as the end of the call that is open; None if it may be another call's.

    `-z` prints both halves of a call together once it has succeeded, the second without its head.
    """
    ended = split_end(text) if _REST.match(text) is not None else None
    if ended is None:
        return None
    latest = list(islice(joiner.latest(), 2))
    if not latest or latest[0].name in ENDLESS or (len(latest) > 1 and latest[0].line != number - 1):
        return None
    half = latest[0]
    return Place(number, half.pid), Frame(kind="rest", name=half.name, body=ended[0], tail=ended[1])

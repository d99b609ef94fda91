"""The names of system call parameters: `call["flags"]` is the third argument of openat.

    position   name -> index of the argument; used by `Call.arg`
    |
    table      calls.txt, the manual's names in the order in which strace prints them; read on first use
    labels     the names that strace itself printed: `clone(child_stack=NULL, ...)`, all of them with -N

A call that is not in the table has only the printed names.
"""

from __future__ import annotations

from collections.abc import Mapping

from tracediag.trace.parameters.labels import labels_of
from tracediag.trace.parameters.table import calls, names, positions

__all__ = ["calls", "names", "position"]


def position(call: str, body: str, count: int, name: str) -> int | None:
    """Return the position, from 0, of the argument with that name; None if the call or the line has none.

    Args:
        call: the name of the system call.
        body: the text of its arguments, as recorded.
        count: how many values that text was parsed to.
        name: the parameter, in any spelling.
    """
    known = positions(call, body, count)
    labels = labels_of(body)
    if labels:
        return _labelled(labels, name, known) if len(labels) == count else None
    place = known.get(name)
    return place if place is not None and place < count else None


def _labelled(labels: tuple[str, ...], name: str, known: Mapping[str, int]) -> int | None:
    """Return the position by the printed labels: they decide, the table only shows which spellings mean the same."""
    if name in labels:
        return labels.index(name)
    place = known.get(name)
    if place is None:
        return None
    for index, label in enumerate(labels):
        if known.get(label) == place:
            return index
    return place if place < len(labels) and labels[place] not in known else None

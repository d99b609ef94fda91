"""Overviews of a trace: the cost of its calls, its processes, and questions about one line, object or message.

counting     `summarise`: the calls of traces by call, error, process, file or peer, most of them without an event
descent      `grow_tree`: the tree of processes, and which process killed which
state        `take_state`: what was open, locked, mapped and blocked at a line
explaining   one call in words
following    `follow`: the life of one object
why          `find_cause`: what is behind a message
searching    `grep`: the calls that a query describes, and what stands around them
files, peers one row for each path or address
lives        `fold_lives`: the shapes of lives, the rare ones told apart
happening    the head of a report: what ran, how it ended, where it stands

data, descriptors, places, programs, sources and touching serve several of them.

The results are plain values, `tracediag.results.tables`; `tracediag.report` renders them.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tracediag.overviews.counting.sorting import ORDERS

if TYPE_CHECKING:
    from tracediag.overviews.counting.view import View
    from tracediag.results.tables import Summary

__all__ = ["ORDERS", "VIEWS", "summarise", "view_by"]

_KINDS = {
    "call": ("calls", "CallView"),
    "error": ("calls", "ErrorView"),
    "process": ("processes", "ProcessView"),
    "file": ("objects", "FileView"),
    "peer": ("objects", "PeerView"),
}
VIEWS = tuple(_KINDS)


def view_by(by: str) -> View:
    """Return an empty view of that kind; ValueError if there is none. Imports only that one: start-up stays quick."""
    if by not in _KINDS:
        raise ValueError(f"no view by {by!r}; there are {', '.join(VIEWS)}")
    module, name = _KINDS[by]
    kind: type[View] = getattr(importlib.import_module(f"tracediag.overviews.counting.{module}"), name)
    return kind()


def summarise(
    traces: str | Iterable[str], by: str = "call", *, sort: str | None = None, limit: int | None = None
) -> Summary:
    """Count the calls of one or more traces.

    Args:
        traces: paths; "-" for standard input; the prefix of an `-ff` set.
        by: the key of a row: "call", "error", "process", "file" or "peer".
        sort: one of `ORDERS`; by default time if the trace shows durations, else calls.
        limit: how many rows to keep; by default all.

    Raises:
        UnreadableError: if a trace cannot be read or is no strace output.
        ValueError: if the view or order does not exist.
    """
    view = view_by(by)
    for trace in (traces,) if isinstance(traces, str) else traces:
        view.read(trace)
    return view.summary(sort, limit)

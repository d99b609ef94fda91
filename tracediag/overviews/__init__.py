"""Overviews of a trace: what its calls cost, and which processes there were.

summarise  one table of several traces, by call, error, process, file or peer
descent    `grow_tree`: the tree of the processes of one trace; `killing`: who killed whom

calls, processes   views that count with `reading.counter`: no event is made of most lines
objects            views that run the whole kernel model
accounts           the rows of a table while they grow; histogram: durations in constant memory

What comes out is plain values, `tracediag.results.tables`; `tracediag.report` renders them.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from tracediag.overviews.sorting import ORDERS
from tracediag.overviews.view import Progress, View
from tracediag.results.tables import Summary

__all__ = ["ORDERS", "VIEWS", "Progress", "View", "summarise", "view_by"]

_KINDS = {
    "call": ("calls", "CallView"),
    "error": ("calls", "ErrorView"),
    "process": ("processes", "ProcessView"),
    "file": ("objects", "FileView"),
    "peer": ("objects", "PeerView"),
}
VIEWS = tuple(_KINDS)


def view_by(by: str) -> View:
    """Return an empty view of that kind; ValueError where there is none. No other is imported: start-up stays quick."""
    if by not in _KINDS:
        raise ValueError(f"no view by {by!r}; there are {', '.join(VIEWS)}")
    module, name = _KINDS[by]
    kind: type[View] = getattr(importlib.import_module(f"tracediag.overviews.{module}"), name)
    return kind()


def summarise(
    traces: str | Iterable[str], by: str = "call", *, sort: str | None = None, limit: int | None = None
) -> Summary:
    """Count the calls of one or several traces.

    Args:
        traces: paths; "-" for standard input; the prefix of an `-ff` set.
        by: what makes a row: "call", "error", "process", "file" or "peer".
        sort: one of `ORDERS`; without it by time where the trace shows durations, else by calls.
        limit: how many rows to keep; all without it.

    Raises:
        UnreadableError: if a trace cannot be read or is no strace output.
        ValueError: if there is no such view or order.
    """
    view = view_by(by)
    for trace in (traces,) if isinstance(traces, str) else traces:
        view.read(trace)
    return view.summary(sort, limit)

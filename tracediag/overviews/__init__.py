"""Overviews of a trace: the cost of its calls, its processes, and questions about one line, object or message.

summarise  one table of one or more traces, by call, error, process, file or peer
descent    `grow_tree`: the process tree of one trace; `killing`: which process killed which
state      `take_state`: what was open, locked, mapped and blocked at a line; `descriptors`, `locks`, `mapped`
explaining one call in words; `sentences`, `judging`, `arguments`
following  `follow`: the life of one object; `wanted`, `finder`, `births`, `living` (a process), `data`, `log`
why        `find_cause`: what is behind a message; `words`
searching  `grep`: the calls that a query describes; `context`: what stands around them
files      by path; `file_paths`, `file_rows`, `file_searches` (lookups of one name), `file_selection`
peers      by peer; `peer_rows`
lives      `fold_lives`: the shapes of lives; `folding` (one life), `shapes` (counted, the rare ones told apart)
head       the head of a report: `standing` (calls that have not returned), `endings`
touching   which open file descriptions an event acts on

calls, processes   views that count with `reading.counter`, without an event for most lines
objects            views that run the complete kernel model
accounts           the rows while they are counted; histogram: durations in constant memory

The results are plain values, `tracediag.results.tables`; `tracediag.report` renders them.
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
    """Return an empty view of that kind; ValueError if there is none. Imports only that one: start-up stays quick."""
    if by not in _KINDS:
        raise ValueError(f"no view by {by!r}; there are {', '.join(VIEWS)}")
    module, name = _KINDS[by]
    kind: type[View] = getattr(importlib.import_module(f"tracediag.overviews.{module}"), name)
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

"""The order of a table's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tracediag.results.tables import Row, Times
from tracediag.trace.numbers import identifier

_BY_TIMES: dict[str, Callable[[Times], float | None]] = {
    "time": lambda times: times.total,
    "mean": lambda times: times.mean,
    "max": lambda times: times.max,
    "p50": lambda times: times.p50,
    "p95": lambda times: times.p95,
    "p99": lambda times: times.p99,
}
ORDERS = ("time", "calls", "errors", "name", "mean", "max", "p50", "p95", "p99")
"""Sort keys: the name ascending, everything else descending."""


def sort_rows(rows: Iterable[Row], order: str | None = None) -> list[Row]:
    """Sort rows; by default by time if there are times, else by calls. Equal rows are ordered by calls, then name.

    Rows without times come last in an order by time. Raises ValueError for an unknown order.
    """
    found = sorted(rows, key=lambda row: (-row.calls, row.name))
    if order is None:
        order = "time" if any(row.times is not None for row in found) else "calls"
    if order == "name":
        return sorted(found, key=lambda row: _natural(row.name))
    if order == "errors":
        return sorted(found, key=lambda row: -row.errors)
    if order in _BY_TIMES:
        value = _BY_TIMES[order]
        return sorted(found, key=lambda row: 1.0 if row.times is None else -(value(row.times) or 0.0))
    if order != "calls":
        raise ValueError(f"no order {order!r}; there are {', '.join(ORDERS)}")
    return found


def _natural(name: str) -> tuple[int, str]:
    """Sort pids numerically."""
    pid = identifier(name)
    return (1 << 60, name) if pid is None else (pid, "")

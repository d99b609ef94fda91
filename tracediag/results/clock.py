"""Wall clock times of steps: a date and time, or a time of day."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from tracediag.results.findings import Finding, Step

_DAY = 86_400


def wall_clock(time: float, times: str) -> str | None:
    """Return a time of the trace as wall clock time.

    Args:
        time: seconds, in the trace's own clock.
        times: the kind of clock, as `Scope.times` names it.

    Returns:
        "2023-11-14T22:13:20.052257Z" for the time since the epoch; "14:03:07.052257", or "14:03:07" if the trace
        has full seconds, for a local time of day; None for any other clock and for a year outside the calendar.
    """
    if times == "epoch":
        try:
            return datetime.fromtimestamp(time, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        except (OverflowError, ValueError, OSError):
            return None
    if times == "clock":
        millionths = round(time % _DAY * 1_000_000) % (_DAY * 1_000_000)
        seconds, fraction = divmod(millionths, 1_000_000)
        shown = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return f"{shown}.{fraction:06}" if fraction else shown
    return None


def with_clock(finding: Finding, times: str) -> Finding:
    """Return the finding with the wall clock of each of its steps."""
    if times not in ("epoch", "clock"):
        return finding
    return msgspec.structs.replace(finding, steps=tuple(_dated(step, times) for step in finding.steps))


def _dated(step: Step, times: str) -> Step:
    if step.time is None:
        return step
    return msgspec.structs.replace(step, clock=wall_clock(step.time, times))

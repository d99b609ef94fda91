"""How processes end: what a bad end is, how severe it makes a failure, and its step."""

from __future__ import annotations

from tracediag.kernel.process import Process
from tracediag.kernel.signals import ORDERS
from tracediag.results.findings import Severity, Step, step
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit

_SENT = frozenset({*ORDERS, "SIGKILL"})
"""Signals with which other processes end a process: they say nothing about its work."""


def failed_end(process: Process) -> Exit | None:
    """Return the reported exit of a process that failed: with a status other than 0, or by a signal for its own fault.

    `Process.ended_badly` also counts orders to stop, and an exit_group whose exit is not reported.
    """
    end = process.exit
    if end is None or end.signal in _SENT or (end.signal is None and not end.status):
        return None
    return end


def severity_by_end(process: Process, otherwise: Severity = Severity.WARNING) -> Severity:
    """Return ERROR if the process ended badly, else the given severity."""
    return Severity.ERROR if process.ended_badly else otherwise


def manner(end: Exit | Syscall) -> str:
    """Return how a process ended, as a verb: "is killed by SIGSEGV", "exits with status 1"."""
    if isinstance(end, Exit) and end.signal is not None:
        return f"is killed by {end.signal}"
    status = end.status if isinstance(end, Exit) else end.number(0)
    return "exits" if status is None else f"exits with status {status}"


def end_step(end: Exit | Syscall, *, primary: bool = False) -> Step:
    """Return the step for the end of a process."""
    if isinstance(end, Exit) and end.told:
        return step(end, f"the shell reports that {end.signal} ended the program", primary=primary)
    return step(end, f"the process {manner(end)}", primary=primary)

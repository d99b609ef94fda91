"""The child that a wait asks for, for the names of a query that begin with `child.`."""

from __future__ import annotations

from tracediag.kernel.process import Process, Reaped
from tracediag.query.subject import Subject
from tracediag.trace.calls import CHILD_WAITS
from tracediag.trace.events import Event
from tracediag.trace.values import names_of


def pid(subject: Subject) -> int | None:
    """Return the pid that a wait asks for; None where it asks for any child, or a group."""
    call = subject.call
    if call.name not in CHILD_WAITS:
        return None
    if call.name == "waitid":
        return call.number(1) if "P_PID" in names_of(call.arg(0)) else None
    number = call.number(0)
    return number if number is not None and number > 0 else None


def created(subject: Subject) -> Event | None:
    """Return the call that created the child, if no wait has taken its status."""
    child = _child(subject)
    return None if child is None else child.started


def ended(subject: Subject) -> Event | None:
    """Return the exit of the child, if no wait has taken its status."""
    child = _child(subject)
    return None if child is None else child.exit


def taken(subject: Subject) -> Event | None:
    """Return the earlier wait that took the status of the child."""
    found = _reaped(subject)
    return None if found is None else found.call


def status(subject: Subject) -> tuple[str, ...] | None:
    """Return what that wait was told of the child, in words; None where it did not ask."""
    found = _reaped(subject)
    if found is None or (found.signal is None and found.status is None):
        return None
    return (f"killed by {found.signal}" if found.signal is not None else f"status {found.status}",)


def taken_here(subject: Subject) -> bool | None:
    """Whether the same thread made that wait."""
    found = _reaped(subject)
    return None if found is None else found.call.pid == subject.call.pid


def _reaped(subject: Subject) -> Reaped | None:
    process, number = subject.process, pid(subject)
    if process is None or number is None:
        return None
    return next((known for known in process.reaped if known.pid == number), None)


def _child(subject: Subject) -> Process | None:
    process, number = subject.process, pid(subject)
    if process is None or number is None or _reaped(subject) is not None:
        return None
    return process.children.get(number)

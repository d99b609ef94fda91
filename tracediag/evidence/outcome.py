"""What a failed call led to: whether the process came to a bad end, and what a thread stands in at the end."""

from __future__ import annotations

from tracediag.kernel.calls.waiting import selected
from tracediag.kernel.process import Process, Thread
from tracediag.results.findings import Severity, Step, step
from tracediag.trace.calls import EPOLL_WAITS, POLLS, SELECTS
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.values import Structure, items_of, number_of

WAITS = (*EPOLL_WAITS, *POLLS, *SELECTS)
KEPT = 500
"""How many objects a rule keeps in mind at once: beyond that nobody would read on."""


def ended_badly(process: Process) -> bool:
    """Whether the process has ended by a signal or with a status that tells of a failure."""
    return bool(process.status) or (process.exit is not None and process.exit.signal is not None)


def severity_by_end(process: Process, otherwise: Severity = Severity.WARNING) -> Severity:
    """Return how bad a failure was by what became of the process."""
    return Severity.ERROR if ended_badly(process) else otherwise


def complaint(process: Process, after: int) -> Syscall | None:
    """Return the first message that the process wrote to its standard error after a line, of those still known."""
    return next((message for message in process.messages if message.line > after), None)


def aftermath(process: Process, after: int) -> list[Step]:
    """Return the steps that show a bad end: the message and the exit."""
    steps = []
    if (message := complaint(process, after)) is not None:
        steps.append(step(message, "the program complains"))
    if process.exit is not None and ended_badly(process):
        steps.append(step(process.exit, "and ends"))
    return steps


def blocked_in(thread: Thread) -> Syscall | Begun | None:
    """Return the call that a thread has not come back from, or that was broken off."""
    last = thread.last_call
    call = thread.pending or (last if last is not None and last.interrupted else None)
    return None if call is None or call.name.startswith("exit") else call


def waited_for(call: Syscall | Begun) -> frozenset[int] | None:
    """Return the numbers that a poll, select or read waits for; None where that cannot be told (epoll, futex)."""
    if call.name in POLLS:
        entries = (item for item in items_of(call.arg(0)) if isinstance(item, Structure))
        return frozenset(number for entry in entries if (number := number_of(entry.get("fd"))) is not None)
    if call.name in SELECTS:
        return frozenset(selected(call, sets=(1,)))
    if call.name in ("read", "readv", "recv", "recvfrom", "recvmsg"):
        number = call.number(0)
        return None if number is None else frozenset({number})
    return None

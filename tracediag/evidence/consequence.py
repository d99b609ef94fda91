"""What became of a process after a call had failed: shared by the rules about failed calls on descriptors."""

from __future__ import annotations

from tracediag.kernel.process import Process
from tracediag.results.findings import Step, step
from tracediag.trace.events import Exit, Syscall

_ASKED_TO = frozenset({"SIGTERM", "SIGKILL", "SIGINT", "SIGHUP", "SIGQUIT"})
"""Signals by which somebody ends a process: they say nothing of how it fared."""


def bad_end(process: Process, after: Syscall) -> Exit | Syscall | None:
    """Return what shows that the failure mattered: its text on fd 2, or else an end that is not a good one."""
    _, _, text = after.tail.partition("(")
    text = text.rstrip(")\n ")
    for message in process.messages:
        if text and message.line > after.line and text in message.body:
            return message
    end = process.exit
    if end is None or end.signal in _ASKED_TO or (end.signal is None and not end.status):
        return None
    return end


def ending(process: Process, after: Syscall) -> list[Step]:
    """Return the step of a bad end, if there is one."""
    found = bad_end(process, after)
    if found is None:
        return []
    if isinstance(found, Syscall):
        return [step(found, "the error is printed to fd 2")]
    how = f"is killed by {found.signal}" if found.signal else f"ends with status {found.status}"
    return [step(found, f"the process {how}")]

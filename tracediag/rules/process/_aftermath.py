"""What comes of a failure that a program reports: whether work is lost, goes on elsewhere, or goes on without it."""

from __future__ import annotations

from tracediag.evidence.blame import Blame
from tracediag.evidence.held import file_of
from tracediag.evidence.names import program_name
from tracediag.evidence.verdict import Verdict
from tracediag.evidence.waiters import waits_since
from tracediag.kernel.process import Process
from tracediag.trace.calls import FSYNCS, FTRUNCATES, WRITES
from tracediag.trace.events import Syscall

_LOSSES = frozenset({"ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "ENODEV", "ENXIO"})
"""Errors of a write after which what the program should have made is missing or cut short."""


def hidden_by(top: Verdict, blame: Blame) -> str:
    """Return that the parent's status 0 hides the loss of data in its child; "" where nothing is lost or hidden."""
    lost = blame.named and blame.call.errno in _LOSSES and blame.call.name in WRITES | FSYNCS | FTRUNCATES
    if not lost or top.bad or top.end is None:
        return ""
    return f"; {program_name(top.program) or 'its parent'} then exits with status 0"


def at_work(process: Process, line: int) -> bool:
    """Whether a process waits for other work after a line, or creates a child."""
    born = (child.started for child in process.children.values())
    return waits_since(process, line) or any(start is not None and start.line > line for start in born)


def carries_on(process: Process, chdir: Syscall) -> bool:
    """Whether a process has commands run after it could not change its directory."""
    return any(known.call.line > chdir.line for known in process.reaped)


def lacks_command(process: Process, blame: Blame) -> bool:
    """Whether a shell reports that a command is in no directory of PATH, and does not discard the message."""
    if blame.search is None or not blame.search.is_command or not isinstance(blame.message, Syscall):
        return False
    return blame.named and file_of(process, blame.message) != "/dev/null"

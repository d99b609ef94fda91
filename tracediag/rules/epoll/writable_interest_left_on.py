"""TD110: a loop that asks whether it may write while it has nothing to write."""

from __future__ import annotations

from tracediag.evidence.steps import birth, no, watched
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.epoll import Readiness, Round
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.epoll._spin import Spin
from tracediag.rules.epoll._unserved import READABLE, UnservedRule
from tracediag.trace.calls import READS
from tracediag.trace.events import Syscall

_WRITABLE = frozenset({"EPOLLOUT", "EPOLLWRNORM", "POLLOUT", "POLLWRNORM"})
_SETUP = frozenset({"connect", "epoll_ctl", "setsockopt", "getsockname", "fcntl"})
"""Calls after which a connection in progress is still to be looked at."""


class WritableInterestLeftOn(UnservedRule):
    """Wakeups for nothing but room to write, on a descriptor to which nothing is written."""

    code = "TD110"
    name = "writable-interest-left-on"
    severity = Severity.ERROR
    summary = "the loop is woken for room to write again and again and has nothing to write"

    def concerns(self, report: Readiness) -> bool:
        """Take what can be written to, but for a connection that has just come about."""
        file = None if report.descriptor is None else report.descriptor.file
        return bool(report.events & _WRITABLE) and (file is None or not _connecting(file))

    def served(self, report: Readiness) -> bool:
        """Whether more was done than to look for something to read, in vain, and to ask for the same again."""
        return report.touched > len(report.calls) or not all(_in_vain(call) for call in report.calls)

    def used_by(self, file: OpenFile) -> Syscall | None:
        """Return the last write, as far as it can be told."""
        if file.socket is not None:
            return file.socket.last_write
        used = file.used
        return None if used is None or _in_vain(used) else used

    def gained(self, report: Readiness, turn: Round) -> bool | None:
        """Whether the turn got anywhere; one that has something to read is another matter."""
        if report.events & READABLE:
            return True if self.served(report) else None
        return super().gained(report, turn)

    def tell(self, spin: Spin, sure: Confidence) -> Finding:
        """Make the finding."""
        number, entry = spin.descriptor.number, spin.report.registration
        busy = spin.aside > spin.times
        what = "is woken between its work for" if busy else "spins on"
        off = "by EPOLL_CTL_MOD" if entry is not None else "of its entry in the wait"
        return self.finding(
            [
                *birth(spin.descriptor),
                *(watched(entry) if entry is not None else ()),
                step(spin.first, f"fd {number} is reported writable, and nothing is written to it", primary=True),
                *spin.again("returns at once, for the same reason"),
            ],
            object=describe(spin.descriptor),
            title=self.bounds.title(spin.times, f"the loop {what} room to write while nothing is to be written"),
            severity=Severity.WARNING if busy or sure is Confidence.POSSIBLE else Severity.ERROR,
            confidence=sure,
            absent=[no(f"write to fd {number}", spin.first, self.until(spin))],
            why="a descriptor is writable for as long as there is room in its buffer, which is nearly always: a"
            " level-triggered wait that asks for it returns at once: poll(2), epoll(7)",
            fix=f"ask for room to write to fd {number} only while something is left to be sent, after a write that gave"
            f" EAGAIN or less than all; take that off {off} once it is gone",
        )


def _in_vain(call: Syscall) -> bool:
    return call.name == "epoll_ctl" or (call.name in READS and call.errno == "EAGAIN")


def _connecting(file: OpenFile) -> bool:
    """Whether a connect was in progress and nobody has asked yet how it ended."""
    socket, used = file.socket, file.used
    if socket is None or socket.connected is None or socket.connected.errno != "EINPROGRESS":
        return False
    if socket.last_read is not None or socket.last_write is not None:
        return False
    return used is None or used.name in _SETUP

"""TD110: a loop that waits for EPOLLOUT or POLLOUT while it has nothing to write."""

from __future__ import annotations

from tracediag.evidence.steps import birth, no, watched
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.epoll import Readiness, Round
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.epoll._spin import Spin
from tracediag.rules.epoll._unserved import READABLE, UnservedRule
from tracediag.trace.calls import EPOLL_WAITS, READS, SELECTS, WRITES
from tracediag.trace.events import Syscall

_WRITABLE = frozenset({"EPOLLOUT", "EPOLLWRNORM", "POLLOUT", "POLLWRNORM"})
_SETUP = frozenset({"connect", "epoll_ctl", "setsockopt", "getsockname", "fcntl", "fcntl64"})
"""Calls after which the result of a connect in progress has not been fetched yet."""


class WritableInterestLeftOn(UnservedRule):
    """Wakeups for EPOLLOUT or POLLOUT alone, on a descriptor to which nothing is written."""

    code = "TD110"
    name = "writable-interest-left-on"
    severity = Severity.ERROR
    summary = "the loop is woken for EPOLLOUT again and again with nothing to send"
    rests_on = WRITES

    def concerns(self, report: Readiness) -> bool:
        """Whether it was reported writable, other than for a connection that has just been established."""
        file = None if report.descriptor is None else report.descriptor.file
        return bool(report.events & _WRITABLE) and (file is None or not _connecting(file))

    def served(self, report: Readiness) -> bool:
        """Whether more was done than a read that failed with EAGAIN and an epoll_ctl."""
        return report.touched > len(report.calls) or not all(_found_nothing(call) for call in report.calls)

    def used_by(self, file: OpenFile) -> Syscall | None:
        """Return the last write, as far as the trace shows it."""
        if file.socket is not None:
            return file.socket.last_write
        used = file.used
        return None if used is None or _found_nothing(used) else used

    def gained(self, report: Readiness, turn: Round) -> bool | None:
        """Return whether the turn wrote; a turn with something to read counts only if the descriptor was served."""
        if report.events & READABLE:
            return True if self.served(report) else None
        return super().gained(report, turn)

    def tell(self, spin: Spin, sure: Confidence) -> Finding:
        """Make the finding."""
        number, entry = spin.descriptor.number, spin.report.registration
        busy = spin.aside > spin.times
        event, clear = _request(spin.wait)
        fault = f"the loop spins on {event} with nothing to send: {name(spin.descriptor)}"
        if busy:
            fault = f"unneeded {event} wakeups between other work: {name(spin.descriptor)}"
        return self.finding(
            [
                *birth(spin.descriptor),
                *(watched(entry) if entry is not None else ()),
                step(spin.first, f"fd {number} is reported writable, and nothing is written to it", primary=True),
                *spin.again("returns immediately, for the same reason"),
            ],
            object=describe(spin.descriptor),
            title=self.titled(spin, fault),
            severity=Severity.WARNING if busy or sure is Confidence.POSSIBLE else Severity.ERROR,
            confidence=sure,
            absent=[no(f"write to fd {number}", spin.first, self.until(spin))],
            why="a descriptor is writable while its buffer has room, which is nearly always: a level-triggered wait for"
            f" {event} returns immediately: poll(2), epoll(7)",
            fix=f"request {event} for fd {number} only after a write that was short or failed with EAGAIN, and"
            f" {clear} once the rest has been sent",
        )


def _request(wait: Syscall) -> tuple[str, str]:
    """Return what a wait calls room to write, and how a program stops waiting for it."""
    if wait.name in EPOLL_WAITS:
        return "EPOLLOUT", "clear EPOLLOUT with EPOLL_CTL_MOD"
    return (
        ("writability", "take it out of writefds") if wait.name in SELECTS else ("POLLOUT", "clear POLLOUT in events")
    )


def _found_nothing(call: Syscall) -> bool:
    return call.name == "epoll_ctl" or (call.name in READS and call.errno == "EAGAIN")


def _connecting(file: OpenFile) -> bool:
    """Whether a connect was in progress and its result has not been fetched yet."""
    socket, used = file.socket, file.used
    if socket is None or socket.connected is None or socket.connected.errno != "EINPROGRESS":
        return False
    if socket.last_read is not None or socket.last_write is not None:
        return False
    return used is None or used.name in _SETUP

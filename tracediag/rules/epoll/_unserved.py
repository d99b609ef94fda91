"""What the rules about ready descriptors that are never served share: whether they were, and how sure that is."""

from __future__ import annotations

import re

from tracediag.evidence.runs import CALLS, LOOP
from tracediag.evidence.waiters import unfollowed
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.epoll import HANGUPS, Readiness, Round
from tracediag.results.findings import Confidence
from tracediag.rules.epoll._spin import Spin, SpinRule
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit

READABLE = frozenset({"EPOLLIN", "EPOLLRDNORM", "EPOLLPRI", "POLLIN", "POLLRDNORM", "POLLPRI"})
"""What a wait reports for a descriptor with something to read."""

_BUSY = 6
"""Lines between two waits from which the loop has other work to do."""
_APART = 200
"""Lines between two such turns from which they do not belong together."""
_BLOCKED = 0.01
"""Seconds inside a wait from which the descriptor was not ready all the time."""

_NOT_LEVEL = frozenset({"EPOLLET", "EPOLLONESHOT"})
_RINGS = frozenset({"AF_PACKET", "PF_PACKET", "PACKET", "AF_XDP", "PF_XDP", "XDP"})
"""Sockets that may be served through mapped memory, without a call: packet(7), "PACKET_RX_RING"."""
_CALLS_ONLY = frozenset({Kind.PIPE, Kind.FILE, Kind.EVENTFD, Kind.TIMERFD, Kind.SIGNALFD, Kind.INOTIFY, Kind.PIDFD})
_TERMINAL = re.compile(r"/dev/(?:tty|pts/|console)").match


class UnservedRule(SpinRule):
    """A rule about a level-triggered descriptor that is ready in turn after turn and on which no call is made."""

    def concerns(self, report: Readiness) -> bool:
        """Whether what was reported is this rule's subject."""
        raise NotImplementedError

    def served(self, report: Readiness) -> bool:
        """Whether something was done about it in the turn."""
        raise NotImplementedError

    def used_by(self, file: OpenFile) -> Syscall | None:
        """Return the last call, of any thread, that would have served the description."""
        return file.used

    def gained(self, report: Readiness, turn: Round) -> bool | None:
        """Return whether the turn served the descriptor, or was paced by something else."""
        descriptor, entry = self.reported(report, turn), report.registration
        if descriptor is None or turn.ended_by is None or report.events & HANGUPS or not self.concerns(report):
            return None
        if entry is not None and (entry.events or frozenset()) & _NOT_LEVEL:
            return None
        if self._elsewhere(descriptor, turn, self.run(descriptor)):
            self.drop(descriptor)
            return None
        if self.served(report) or turn.paused is not None or (turn.wait.duration or 0) > _BLOCKED:
            return True
        return None if turn.ended_by.line - max(turn.wait.line, turn.wait.end_line) > _BUSY else False

    def _elsewhere(self, descriptor: Descriptor, turn: Round, spin: Spin | None) -> bool:
        """Whether another thread or process serves it, or the turns lie too far apart to belong together."""
        if spin is not None and turn.wait.line - spin.last.line > _APART:
            return True
        return self._handed_over(descriptor, turn.wait if spin is None else spin.first)

    def _handed_over(self, descriptor: Descriptor, first: Syscall) -> bool:
        """Whether another thread or process has served it since."""
        used = self.used_by(descriptor.file)
        return used is not None and max(used.line, used.end_line) > first.line and used.pid != first.pid

    def sure(self, spin: Spin) -> Confidence | None:
        """Return how sure it is that the descriptor is never served; None where there is too little to report."""
        base = super().sure(spin)
        if base is None or spin.times < 2 or _closed_elsewhere(spin) or unfollowed(spin.thread.process):
            return None
        if self._handed_over(spin.descriptor, spin.first):
            return None
        certain, base = spin.times >= self.bounds.sure, self.inaction(spin, base)
        # In an excerpt that it fills, it is reported whatever else may be the case.
        least = Confidence.POSSIBLE if self.bounds.enough(spin.times, self._excerpt) else None
        if _doubtful(spin):
            return _guess(spin) or least
        if _unfollowed_children(spin):
            return Confidence.LIKELY if certain else least
        # Another thread may need a few turns to get at what was handed to it.
        return least if _shared(spin) and not certain else base


def _guess(spin: Spin) -> Confidence | None:
    """Judge by speed, or by number alone, what may be edge-triggered or served without a call."""
    if spin.period is not None:
        return Confidence.LIKELY if spin.times >= LOOP.sure and spin.faster(LOOP.fast) else None
    back_to_back = spin.last.line - spin.first.line < spin.times
    return Confidence.POSSIBLE if spin.times >= CALLS.worth and back_to_back else None


def _closed_elsewhere(spin: Spin) -> bool:
    closed = spin.descriptor.closed
    return closed is not None and not isinstance(closed, Exit) and closed.pid != spin.wait.pid


def _unfollowed_children(spin: Spin) -> bool:
    """Whether a child that strace did not follow has inherited it."""
    children = spin.thread.process.children.values()
    return any(not child.table.seen and spin.descriptor.number in child.table.inherited for child in children)


def _shared(spin: Spin) -> bool:
    """Whether another traced thread or process could serve it as well."""
    file = spin.descriptor.file
    return len(spin.thread.process.threads) > 1 or bool(file.heirs) or any(spin.descriptor.others)


def _doubtful(spin: Spin) -> bool:
    """Whether it may be edge-triggered, or served through mapped memory, as far as the trace shows."""
    entry = spin.report.registration
    if spin.wait.name.startswith("epoll") and (entry is None or entry.events is None):
        return True
    return not _by_calls(spin.descriptor)


def _by_calls(descriptor: Descriptor) -> bool:
    """Whether it is known to be of a kind that cannot be read or written without a call."""
    file, path = descriptor.file, descriptor.file.path or ""
    socket = file.socket
    if socket is not None:
        known = socket.family or socket.protocol or socket.accepting or socket.accepted or socket.connected
        return bool(known) and socket.family not in _RINGS and (socket.protocol or "") not in _RINGS
    if path.startswith("/dev/"):
        return _TERMINAL(path) is not None
    return file.kind in _CALLS_ONLY or file.got is not None or descriptor.number == 0

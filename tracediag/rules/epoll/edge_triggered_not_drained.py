"""TD104: an edge-triggered descriptor that is not drained."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.steps import no, watched
from tracediag.kernel import Action, Kernel
from tracediag.kernel.calls.transfer import asked
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.epoll import EpollSet, Readiness, Registration, Round
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_release, on_round, on_trace_end, on_traffic
from tracediag.trace.calls import READS, WRITES
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import size
from tracediag.trace.values import names_of

_ENDS = frozenset({"EPOLLRDHUP", "EPOLLHUP"})
_KINDS = frozenset({Kind.SOCKET, Kind.PIPE, Kind.UNKNOWN})
_COUNTER = 8
"""Bytes of an eventfd or timerfd, which one read always drains; a pipe read by so few only serves to wake the loop."""


class _Full(msgspec.Struct):
    """A turn whose last read of a descriptor filled the buffer."""

    entry: Registration
    turn: Round
    read: Syscall
    answered: bool = False
    """Whether the descriptor was written to since: the request may have been complete."""
    resumed: bool = False
    """Whether a later wait reported new data and the program read on: nothing was lost."""


class EdgeTriggeredNotDrained(Rule):
    """An EPOLLET descriptor is read once, the buffer comes back full, and the loop waits again."""

    code = "TD104"
    name = "edge-triggered-not-drained"
    severity = Severity.ERROR
    summary = "an edge-triggered descriptor is not read until EAGAIN: no event may ever report the rest"
    rests_on_failures = True

    def __init__(self) -> None:
        self._reads: Cases[Descriptor, Syscall] = Cases()
        """The last read of a descriptor since epoll_ctl was called for it."""
        self._seen: Cases[OpenFile, int] = Cases()
        self._full: Cases[OpenFile, _Full] = Cases()
        self._careful: list[EpollSet] = []
        """Sets of programs that remember what they have not read, and read it without a wakeup."""

    @on_traffic(*READS)
    def read(self, action: Action) -> None:
        """Keep the last read of each turn; a read without a wakeup shows that the program remembers what is left."""
        descriptor = action.descriptor
        if descriptor is None or not descriptor.file.registrations:
            return
        self._reads[descriptor] = action.call
        pending = self._full.get(descriptor.file)
        if pending is not None and (action.call.result == 0 or action.call.errno == "EAGAIN"):
            del self._full[descriptor.file]  # the data was exactly as long as the buffer: nothing was left
        elif pending is not None and descriptor.readiness is None:
            self._careful.append(pending.entry.epoll)
            del self._full[descriptor.file]
        elif pending is not None and descriptor.readiness is not None:
            pending.resumed = not descriptor.readiness.events & _ENDS

    @on_traffic(*WRITES)
    def wrote(self, action: Action) -> None:
        """Note that the peer was sent an answer."""
        pending = None if action.descriptor is None else self._full.get(action.descriptor.file)
        if pending is not None:
            pending.answered = True

    @on_call("epoll_ctl")
    def armed(self, action: Action) -> None:
        """EPOLL_CTL_MOD checks the descriptor again and reports what is left: ep_modify in fs/eventpoll.c."""
        entry = action.registration
        if entry is not None and not action.call.failed:
            for holder in entry.file.holders:
                self._reads.pop(holder)
            self._full.pop(entry.file, None)

    @on_round
    def turned(self, action: Action) -> Iterator[Finding]:
        """Look at what was read from each descriptor that was reported readable."""
        turn = action.finished
        for report in turn.reports if turn is not None else ():
            entry = report.registration
            if turn is None or entry is None or not entry.edge_triggered:
                continue
            before = self._full.pop(entry.file, None)
            if before is not None:
                yield from self._found(before)
            last = None if report.descriptor is None else self._reads.get(report.descriptor)
            read = _left_over(report, entry, last)
            if read is not None:
                self._full[entry.file] = _Full(entry, turn, read, _answered(report))

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """Report what was left unread at the close, unless the peer was sent an answer."""
        for descriptor in action.released:
            pending = None if descriptor.file.registrations else self._full.pop(descriptor.file, None)
            if pending is not None and not pending.answered:
                yield from self._found(pending)

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Report what is left unread at the end of the trace."""
        del kernel
        for pending in self._full.values():
            yield from self._found(pending, guess=pending.answered)

    def _found(self, full: _Full, *, guess: bool = False) -> Iterator[Finding]:
        """Report a buffer that came back full, unless the program is known to remember that."""
        entry, number = full.entry, full.entry.number
        if any(epoll is entry.epoll for epoll in self._careful):
            return
        seen = self._seen.get(entry.file, 0) + 1
        self._seen[entry.file] = seen
        until = full.turn.ended_by
        yield self.finding(
            _story(full),
            object=describe(entry.descriptor),
            title=f"{name(entry.descriptor)} is edge-triggered but not read until EAGAIN",
            severity=_severity(full, uncertain=guess and seen == 1),
            confidence=_confidence(seen, guess=guess),
            absent=[] if until is None else [no(f"EAGAIN from {full.read.name} on fd {number}", full.read, until)],
            why="with EPOLLET a wakeup reports new data, not data left unread: what did not fit into the buffer is not"
            " reported until the peer sends more, which may never happen: epoll(7)",
            fix=f"read fd {number} until EAGAIN or a short read, or register fd {number} without EPOLLET",
        )


def _severity(full: _Full, *, uncertain: bool) -> Severity:
    if full.resumed:
        return Severity.NOTE
    return Severity.WARNING if uncertain else Severity.ERROR


def _confidence(seen: int, *, guess: bool) -> Confidence:
    """Twice is a habit; a single answered message may by chance have been exactly as long as the buffer."""
    if seen > 1:
        return Confidence.CERTAIN
    return Confidence.POSSIBLE if guess else Confidence.LIKELY


def _story(full: _Full) -> Iterator[Step]:
    number, read, until = full.entry.number, full.read, full.turn.ended_by
    yield from watched(full.entry)
    yield step(full.turn.wait, f"woken for fd {number}")
    yield step(read, f"the buffer of {size(read.result or 0)} is full: there may be more", primary=True)
    if until is not None:
        nothing = "; nothing is reported" if isinstance(until, Syscall) and until.result == 0 else ""
        yield step(until, f"waits again although {read.name} on fd {number} has not failed with EAGAIN{nothing}")


def _left_over(report: Readiness, entry: Registration, read: Syscall | None) -> Syscall | None:
    """Return the last read of a turn if it filled its buffer, and nothing shows that nothing was left."""
    descriptor, file = report.descriptor, entry.file
    if descriptor is None or descriptor.closed is not None or entry.removed is not None or not report.touched:
        return None
    if "EPOLLIN" not in report.events or report.events & _ENDS or "EPOLLONESHOT" in (entry.events or ()):
        return None
    if read is None or read.line < report.calls[0].line:
        return None
    if file.kind not in _KINDS or (file.socket is not None and file.socket.stream is False):
        return None
    return read if _full(read, small=file.kind is not Kind.SOCKET) else None


def _full(read: Syscall, *, small: bool) -> bool:
    wanted = asked(read)
    peeked = read.name in ("recv", "recvfrom") and "MSG_PEEK" in names_of(read.arg(3))
    if not wanted or read.result != wanted or peeked:
        return False
    return not small or wanted > _COUNTER


def _answered(report: Readiness) -> bool:
    return any(call.name in WRITES for call in report.calls)

"""TD101: a broken connection that stays in the epoll set."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.runs import Run, lengthened
from tracediag.evidence.steps import birth, last_line, no, watched
from tracediag.kernel import Action, Kernel
from tracediag.kernel.calls.transfer import BROKEN
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.epoll import Registration
from tracediag.results.findings import Absence, Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_release, on_round, on_trace_end
from tracediag.trace.calls import EPOLL_CTLS
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.records import Exit

_MAX_LINES = 100


class _Broken(msgspec.Struct):
    """A descriptor whose peer is gone, still in an epoll set."""

    descriptor: Descriptor
    entry: Registration
    failure: Syscall
    rounds: int = 0
    """Turns of the loop that ended since, with the descriptor still registered."""
    next_wait: Syscall | Begun | None = None
    """The first wait since."""
    woken: Run | None = None
    """The waits that have reported it since."""
    woken_lines: list[int] = msgspec.field(default_factory=list)
    """The lines of the first few of them."""

    @property
    def again(self) -> bool:
        """Whether the loop was woken for it more than once."""
        return self.woken is not None and self.woken.times > 1


class EpipeStillRegistered(Rule):
    """EPIPE or ECONNRESET on a descriptor in an epoll set, and the loop waits again without removing it."""

    code = "TD101"
    name = "epipe-still-registered"
    severity = Severity.ERROR
    summary = "a connection that failed with EPIPE or ECONNRESET stays in the epoll set"
    rests_on = EPOLL_CTLS | {"close"}

    def __init__(self) -> None:
        self._open: Cases[OpenFile, _Broken] = Cases()
        self._seen: Cases[OpenFile, None] = Cases()
        """What has failed once: only the first failure counts."""

    @on_errno(*BROKEN)
    def failed(self, action: Action) -> None:
        """Remember the first failure of a watched descriptor."""
        descriptor = action.descriptor
        if descriptor is None or descriptor.file in self._seen:
            return
        for entry in descriptor.file.registrations:
            broken = _Broken(descriptor, entry, action.call)
            self._seen[descriptor.file] = None
            self._open[descriptor.file] = broken
            return

    @on_round
    def turned(self, action: Action) -> None:
        """Count the turns that reported the broken connection, and those that left it in the set."""
        turn = action.finished
        for broken in list(self._open.values()) if turn is not None else ():
            if turn is None or turn.epoll is not broken.entry.epoll or turn.ended_by is None:
                continue
            if turn.ended_by.line > broken.failure.line:
                broken.rounds += 1
                broken.next_wait = broken.next_wait or turn.ended_by
            if turn.wait.line > broken.failure.line and any(r.registration is broken.entry for r in turn.reports):
                broken.woken = lengthened(broken.woken, turn.wait)
                if len(broken.woken_lines) < _MAX_LINES:
                    broken.woken_lines.append(turn.wait.line)

    @on_call("epoll_ctl")
    def removed(self, action: Action) -> Iterator[Finding]:
        """Settle it by EPOLL_CTL_DEL, unless the loop was woken for it again and again before."""
        entry = action.registration
        broken = None if entry is None or entry.removed is None else self._open.pop(entry.file, None)
        if broken is not None and broken.again:
            yield self._woken(broken, action.event)

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """Settle it by the last close, which removes the entry too: worth a note, since a copy would keep it."""
        for descriptor in action.released:
            entry_gone = not descriptor.file.registrations
            broken = self._open.pop(descriptor.file, None) if entry_gone else None
            if broken is None:
                continue
            if broken.again:
                yield self._woken(broken, action.event)
            elif isinstance(action.event, Syscall) and action.event.name == "close":
                yield self._luck(broken, action.event)
            elif isinstance(action.event, Exit) and broken.rounds > 0:
                yield self._left(broken, action.event.line)

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Report what is still registered at the end of the trace."""
        end = last_line(kernel)
        for broken in self._open.values():
            if broken.again:
                yield self._woken(broken, end)
            else:
                yield self._left(broken, end)

    def _woken(self, broken: _Broken, until: Event | int) -> Finding:
        number = broken.entry.number
        note = f"woken for fd {number} although the peer is gone"
        again = [broken.woken.together(note)] if broken.woken is not None else []
        title = f"the epoll set keeps reporting {name(broken.descriptor)} after {broken.failure.errno}"
        return self._finding(broken, again, until, Severity.ERROR, title)

    def _left(self, broken: _Broken, end: int) -> Finding:
        """Report an entry that is still there; where the trace stops right after the failure, only as possible."""
        title = f"{name(broken.descriptor)} is still in the epoll set after {broken.failure.errno}"
        if broken.next_wait is None:
            return self._finding(broken, [], end, Severity.NOTE, title, Confidence.POSSIBLE)
        waits = [step(broken.next_wait, f"the loop waits again, fd {broken.entry.number} still in the set")]
        return self._finding(broken, waits, end, Severity.WARNING, title)

    def _luck(self, broken: _Broken, close: Syscall) -> Finding:
        number = broken.entry.number
        closing = [step(close, f"fd {number} is closed; this removes the entry only because no other copy is open")]
        title = f"{name(broken.descriptor)} was closed without EPOLL_CTL_DEL after {broken.failure.errno}"
        found = self._finding(broken, closing, close, Severity.NOTE, title)
        return msgspec.structs.replace(
            found, fix=f"none needed unless fd {number} gets a copy by dup, fork or SCM_RIGHTS"
        )

    def _finding(  # the variants differ in just these
        self,
        broken: _Broken,
        later: list[Step],
        until: Event | int,
        severity: Severity,
        title: str,
        confidence: Confidence = Confidence.CERTAIN,
    ) -> Finding:
        number, failure = broken.entry.number, broken.failure
        if confidence is Confidence.CERTAIN and broken.entry.added is None:
            confidence = Confidence.LIKELY  # the entry is inferred from the data that the set reports
        note = f"{failure.name} fails: the peer is gone; fd {number} should now be removed from the set"
        absent: list[Absence] = [no(f"EPOLL_CTL_DEL of fd {number}", failure, until)]
        return self.finding(
            [*birth(broken.descriptor), *watched(broken.entry), step(failure, note, primary=True), *later],
            object=describe(broken.descriptor),
            title=title,
            severity=severity,
            confidence=confidence,
            absent=absent,
            why="a registration lasts until EPOLL_CTL_DEL or until the last descriptor of the open file description is"
            " closed: a copy made by dup or fork keeps it alive, and events keep coming: epoll(7)",
            fix=f"on EPIPE, ECONNRESET or EPOLLHUP, remove fd {number} with EPOLL_CTL_DEL, then close it",
            explains=[("hangup-ignored-spin", line) for line in broken.woken_lines],
        )

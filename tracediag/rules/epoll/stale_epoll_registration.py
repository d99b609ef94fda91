"""TD102: a registration that outlives its number."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.runs import Run, lengthened
from tracediag.evidence.steps import last_line, no, watched
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Readiness, Registration, Round
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_release, on_round, on_trace_end
from tracediag.trace.calls import CLOSES, EPOLL_CTLS, REPLACES
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.values import names_of

_FOLLOWERS = ("epoll-ctl-misuse", "use-after-close", "double-close")
_MAX_LINES = 100


class _Stale(msgspec.Struct):
    """An entry whose number was closed while a copy keeps the description open."""

    entry: Registration
    close: Event
    copy: Descriptor | None
    made: Step | None = None
    """The call that created the copy."""
    woken: Run | None = None
    refused: Syscall | None = None
    """The EPOLL_CTL_DEL that failed with EBADF."""
    followers: list[int] = msgspec.field(default_factory=list)
    """The lines of calls on the closed number that fail with EBADF, the first few of them."""


class StaleEpollRegistration(Rule):
    """A registered descriptor is closed while a copy keeps the description open: its events continue."""

    code = "TD102"
    name = "stale-epoll-registration"
    severity = Severity.ERROR
    summary = "a registered descriptor is closed while a copy keeps the registration: events continue"
    rests_on = EPOLL_CTLS

    def __init__(self) -> None:
        self._stale: Cases[Registration, _Stale] = Cases()

    @on_release
    def released(self, action: Action) -> None:
        """Look for entries that remain in the set."""
        if not isinstance(action.event, Syscall) or action.event.name not in CLOSES | REPLACES:
            return
        for descriptor in action.released:
            for entry in descriptor.file.registrations:
                if entry.descriptor is descriptor:
                    copy = next(descriptor.others, None)
                    self._stale[entry] = _Stale(entry, action.event, copy, _made(copy, action.kernel))

    @on_round
    def turned(self, action: Action) -> None:
        """Note the proof: the loop is woken for the closed number."""
        turn = action.finished
        if turn is None:
            return
        for report in turn.reports:
            stale = self._of(report, turn)
            if stale is not None:
                stale.woken = lengthened(stale.woken, turn.wait)

    def _of(self, report: Readiness, turn: Round) -> _Stale | None:
        entry, descriptor = report.registration, report.descriptor
        if entry is None or descriptor is None or descriptor.closed is None or descriptor.closed.line > turn.wait.line:
            return None
        if entry.data is not None and entry.epoll.by_data.get(entry.data) is not entry:
            return None  # the event is of the next entry with that data, whose EPOLL_CTL_ADD had not returned yet
        if entry.added is None and descriptor.table.get(descriptor.number) is not None:
            return None  # neither of the two registrations is in the trace: the event is of the open one
        known = self._stale.get(entry)
        close = descriptor.closed
        if known is None and entry.removed is close and isinstance(close, Syscall) and close.name in CLOSES | REPLACES:
            # The close looked like the last one, but events continue: the trace does not show the copy.
            known = self._stale[entry] = _Stale(entry, close, None)
        return known

    @on_call("epoll_ctl")
    def controlled(self, action: Action) -> Iterator[Finding]:
        """Note an EPOLL_CTL_DEL that comes too late: the number is no longer open."""
        call, number = action.call, action.call.number(2)
        if not call.failed:
            self._renewed(action, call)
        if call.errno != "EBADF" or "EPOLL_CTL_DEL" not in names_of(call.arg(1)):
            return
        holder = action.process.table.get(call.number(0) or -1)
        for stale in self._stale.values():
            same = holder is not None and stale.entry.epoll is holder.file.epoll and stale.entry.number == number
            if same and (stale.entry.removed is None or stale.woken is not None):
                stale.refused = stale.refused or call
                return
        if number not in action.process.table.last_closed:
            yield from self._excerpt(action, call, number)

    def _renewed(self, action: Action, call: Syscall) -> None:
        """Drop what another thread's EPOLL_CTL_ADD explains: its event can be reported before it has returned."""
        entry = action.registration
        for key, stale in list(self._stale.items()):
            hidden = entry is not None and stale.copy is None and stale.woken is not None
            same = entry is not None and (stale.entry.epoll, stale.entry.data) == (entry.epoll, entry.data)
            if hidden and same and stale.woken is not None and stale.woken.first.end_line > call.line:
                del self._stale[key]

    @on_errno("EBADF")
    def used(self, action: Action) -> Iterator[Finding]:
        """Note the calls that fail because of events for the closed number."""
        call = action.call
        number = call.number(2 if call.name == "epoll_ctl" else 0)
        gone = action.process.table.last_closed.get(-1 if number is None else number)
        if gone is None:
            return
        for stale in self._stale.values():
            if stale.entry.descriptor is gone and len(stale.followers) < _MAX_LINES:
                stale.followers.append(call.line)
        yield from self._excerpt(action, call, number)

    def _excerpt(self, action: Action, call: Syscall, number: int | None) -> Iterator[Finding]:
        """Report a set that reports a number which is not open, where its registration is outside the trace."""
        gone = action.process.table.last_closed.get(-1 if number is None else number)
        closed = None if gone is None else gone.closed
        for turn in action.thread.rounds.values():
            report = next((r for r in turn.reports if r.registration is None and r.data == number), None)
            if report is None or (closed is not None and closed.line > turn.wait.line):
                continue
            yield self.finding(
                [
                    *([step(closed, f"fd {number} is closed")] if isinstance(closed, Syscall) else ()),
                    step(turn.wait, f"the epoll set reports fd {number}"),
                    step(call, f"fd {number} is not open in this process", primary=True),
                ],
                object=f"fd {number}",
                title=f"the epoll set reports fd {number}, which is not open",
                confidence=Confidence.LIKELY,
                why=_WHY,
                fix=f"remove fd {number} with EPOLL_CTL_DEL before closing it, and find the copy made by dup or fork",
                explains=[(rule, call.line) for rule in _FOLLOWERS],
            )

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Report each entry once, with all that followed."""
        end = last_line(kernel)
        for stale in self._stale.values():
            if stale.copy is None and self.scope.may_share_with(stale.close.pid, stale.close.line):
                continue  # another thread may have added the next owner of the number
            if stale.woken is not None or stale.refused is not None:
                yield self._proved(stale, end)
            elif stale.entry.removed is None and stale.copy is not None and _same_process(stale):
                yield self._latent(stale, end)

    def _proved(self, stale: _Stale, end: int) -> Finding:
        what = name(stale.entry.descriptor)
        title = f"the epoll set keeps reporting {what} after close"
        if stale.woken is None:
            title = f"{what} stays in the epoll set after close: EPOLL_CTL_DEL comes too late"
        return self._finding(stale, end, Severity.ERROR, title)

    def _latent(self, stale: _Stale, end: int) -> Finding:
        title = f"{name(stale.entry.descriptor)} was closed without EPOLL_CTL_DEL while a copy stays open"
        return self._finding(stale, end, Severity.WARNING, title)

    def _finding(self, stale: _Stale, end: int, severity: Severity, title: str) -> Finding:
        number = stale.entry.number
        return self.finding(
            _story(stale),
            object=describe(stale.entry.descriptor),
            title=title,
            severity=severity,
            # With neither shown, which descriptor the data stands for is inferred, and the copy as well.
            confidence=Confidence.LIKELY if stale.entry.added is None and stale.copy is None else Confidence.CERTAIN,
            absent=[no(f"successful EPOLL_CTL_DEL of fd {number}", stale.entry.added or stale.close, end)],
            why=_WHY,
            fix=f"remove fd {number} with EPOLL_CTL_DEL before closing it, and close the copy, {_copy_name(stale)}",
            explains=[(rule, line) for line in stale.followers for rule in _FOLLOWERS],
        )


_WHY = (
    "a registration belongs to the open file description: only the close of the last copy removes the entry, and"
    ' EPOLL_CTL_DEL can no longer name the entry once the number is closed: epoll(7), "Questions and answers"'
)


def _made(copy: Descriptor | None, kernel: Kernel) -> Step | None:
    """Return the step of the dup or fork that created the copy, where the trace shows it."""
    if copy is None or copy.copy_of is None:
        return None
    if copy.table is copy.copy_of.table:
        return (
            None
            if copy.opened is None
            else step(copy.opened, f"fd {copy.number} is a copy of fd {copy.copy_of.number}")
        )
    heir = next((process for process in kernel.processes if process.table is copy.table), None)
    if heir is None or not isinstance(heir.started, Syscall | Begun):
        return None
    return step(heir.started, f"process {heir.pid} inherits fd {copy.number}")


def _same_process(stale: _Stale) -> bool:
    return stale.copy is not None and stale.copy.table is stale.entry.descriptor.table


def _copy_name(stale: _Stale) -> str:
    if stale.copy is None:
        return "which this trace does not show"
    if not _same_process(stale):
        return f"fd {stale.copy.number} of another process"
    return name(stale.copy)


def _story(stale: _Stale) -> Iterator[Step]:
    number = stale.entry.number
    yield from watched(stale.entry)
    if stale.made is not None and (stale.entry.added is None or stale.made.line != stale.entry.added.line):
        yield stale.made
    if isinstance(stale.close, Syscall):
        yield step(stale.close, f"fd {number} is closed, but a copy keeps the registration alive", primary=True)
    if stale.woken is not None:
        yield stale.woken.together(f"woken for the closed fd {number}")
    if stale.refused is not None:
        yield step(stale.refused, f"too late: fd {number} is no longer open")

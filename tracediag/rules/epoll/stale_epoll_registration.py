"""TD102: a registration that outlives the number it was made for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tracediag.evidence.runs import Run, lengthened
from tracediag.evidence.steps import last_line, no, watched
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe, describe_file
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Readiness, Registration, Round
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_release, on_round, on_trace_end
from tracediag.trace.calls import CLOSES, REPLACES
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.values import names_of

_FOLLOWERS = ("epoll-ctl-misuse", "use-after-close", "double-close")
_LINES_KEPT = 100


@dataclass(slots=True)
class _Stale:
    """An entry whose number was closed while a copy keeps the description open."""

    entry: Registration
    close: Event
    copy: Descriptor | None
    made: Step | None = None
    """How the copy came about."""
    woken: Run | None = None
    refused: Syscall | None = None
    """The EPOLL_CTL_DEL that failed with EBADF."""
    followers: list[int] = field(default_factory=list)
    """The lines of calls on the closed number that fail with EBADF, the first few of them."""


class StaleEpollRegistration(Rule):
    """A registered descriptor is closed while a copy keeps the description open: its events go on."""

    code = "TD102"
    name = "stale-epoll-registration"
    severity = Severity.ERROR
    summary = "a registered descriptor is closed while a copy keeps it open: events go on for a closed number"

    def __init__(self) -> None:
        self._stale: dict[int, _Stale] = {}

    @on_release
    def released(self, action: Action) -> None:
        """Look for entries that stay behind."""
        if not isinstance(action.event, Syscall) or action.event.name not in CLOSES | REPLACES:
            return
        for descriptor in action.released:
            for entry in descriptor.file.registrations:
                if entry.descriptor is descriptor:
                    copy = next(descriptor.others, None)
                    self._stale[id(entry)] = _Stale(entry, action.event, copy, _made(copy, action.kernel))

    @on_round
    def turned(self, action: Action) -> None:
        """Take the proof: the loop is woken for the closed number."""
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
            return None  # it was for the next one of that data, whose EPOLL_CTL_ADD had not returned yet
        if entry.added is None and descriptor.table.get(descriptor.number) is not None:
            return None  # neither of the two registrations is in the trace: it was for the one that is open
        known = self._stale.get(id(entry))
        if known is None and entry.removed is descriptor.closed and isinstance(descriptor.closed, Syscall):
            # The close looked like the last one, but events go on: a copy lives where the trace does not show it.
            known = self._stale[id(entry)] = _Stale(entry, descriptor.closed, None)
        return known

    @on_call("epoll_ctl")
    def controlled(self, action: Action) -> Iterator[Finding]:
        """EPOLL_CTL_DEL comes too late: the number is not open any more."""
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
        """Take back what another thread's EPOLL_CTL_ADD explains: its event can be told before it has returned."""
        entry = action.registration
        for key, stale in list(self._stale.items()):
            hidden = entry is not None and stale.copy is None and stale.woken is not None
            same = entry is not None and (stale.entry.epoll, stale.entry.data) == (entry.epoll, entry.data)
            if hidden and same and stale.woken is not None and stale.woken.first.end_line > call.line:
                del self._stale[key]

    @on_errno("EBADF")
    def used(self, action: Action) -> Iterator[Finding]:
        """Note what the events for the closed number lead to."""
        call = action.call
        number = call.number(2 if call.name == "epoll_ctl" else 0)
        gone = action.process.table.last_closed.get(number or -1)
        if gone is None:
            return
        for stale in self._stale.values():
            if stale.entry.descriptor is gone and len(stale.followers) < _LINES_KEPT:
                stale.followers.append(call.line)
        yield from self._excerpt(action, call, number)

    def _excerpt(self, action: Action, call: Syscall, number: int | None) -> Iterator[Finding]:
        """Tell of a set that reports a number which is not open, where its registration is outside the trace."""
        gone = action.process.table.last_closed.get(number or -1)
        closed = None if gone is None else gone.closed
        for turn in action.thread.rounds.values():
            report = next((r for r in turn.reports if r.registration is None and r.data == number), None)
            if report is None or (closed is not None and closed.line > turn.wait.line):
                continue
            yield self.finding(
                [
                    *([step(closed, f"fd {number} is closed")] if isinstance(closed, Syscall) else ()),
                    step(turn.wait, f"the set reports fd {number}"),
                    step(call, f"fd {number} is not open in this process", primary=True),
                ],
                object=f"fd {number}",
                title="an epoll set reports a number that is closed",
                confidence=Confidence.LIKELY,
                why=_WHY,
                fix=f"take fd {number} out with EPOLL_CTL_DEL before closing it; find the copy that dup or fork made",
                explains=[(name, call.line) for name in _FOLLOWERS],
            )

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Tell each story once, with all that followed."""
        end = last_line(kernel)
        for stale in self._stale.values():
            if stale.woken is not None or stale.refused is not None:
                yield self._proved(stale, end)
            elif stale.entry.removed is None and stale.copy is not None and _same_process(stale):
                yield self._latent(stale, end)

    def _proved(self, stale: _Stale, end: int) -> Finding:
        return self._finding(stale, end, Severity.ERROR, "an epoll set goes on reporting a number that is closed")

    def _latent(self, stale: _Stale, end: int) -> Finding:
        title = "a descriptor was closed without EPOLL_CTL_DEL while a copy keeps it in the epoll set"
        return self._finding(stale, end, Severity.WARNING, title)

    def _finding(self, stale: _Stale, end: int, severity: Severity, title: str) -> Finding:
        number = stale.entry.number
        return self.finding(
            _story(stale),
            object=describe(stale.entry.descriptor),
            title=title,
            severity=severity,
            absent=[no(f"EPOLL_CTL_DEL of fd {number} before its close", stale.entry.added or stale.close, end)],
            why=_WHY,
            fix=f"take fd {number} out with EPOLL_CTL_DEL before closing it, and close its copy, {_copy_name(stale)}",
            explains=[(name, line) for line in stale.followers for name in _FOLLOWERS],
        )


_WHY = (
    "the entry belongs to the open file description, not to the number: close ends it only with the last copy, and once"
    " the number is closed EPOLL_CTL_DEL cannot name the entry any more: epoll(7), question 6"
)


def _made(copy: Descriptor | None, kernel: Kernel) -> Step | None:
    """Return the step of the dup or fork that made the copy, where the trace shows it."""
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
    what = describe_file(stale.copy.file)
    return f"fd {stale.copy.number}" + (f" = {what}" if what else "")


def _story(stale: _Stale) -> Iterator[Step]:
    number = stale.entry.number
    yield from watched(stale.entry)
    if stale.made is not None and (stale.entry.added is None or stale.made.line != stale.entry.added.line):
        yield stale.made
    if isinstance(stale.close, Syscall):
        yield step(stale.close, f"fd {number} is closed, but the description lives on", primary=True)
    if stale.woken is not None:
        yield stale.woken.together(f"woken for the closed fd {number}")
    if stale.refused is not None:
        yield step(stale.refused, f"too late: fd {number} is not open any more")

"""TD102: a registration that outlives the number it was made for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracediag.events import Event, Syscall
from tracediag.findings import Confidence, Finding, Severity, Step, step
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe, describe_file
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Readiness, Registration, Round
from tracediag.rules.base import Rule, on_call, on_end, on_release, on_round
from tracediag.rules.steps import last_line, no, repeated, watched
from tracediag.values import names_of


@dataclass(slots=True)
class _Stale:
    """An entry whose number was closed while a copy keeps the description open."""

    entry: Registration
    close: Event
    copy: Descriptor | None
    woken: Syscall | None = None
    times: int = 0
    last: int = 0
    refused: Syscall | None = None
    """The EPOLL_CTL_DEL that failed with EBADF."""


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
        if not isinstance(action.event, Syscall) or action.event.name not in ("close", "dup2", "dup3", "close_range"):
            return
        for descriptor in action.released:
            for entry in descriptor.file.registrations:
                if entry.descriptor is descriptor:
                    copy = next(iter(descriptor.others), None)
                    self._stale[id(entry)] = _Stale(entry, action.event, copy)

    @on_round
    def turned(self, action: Action) -> Iterator[Finding]:
        """Take the proof: the loop is woken for the closed number."""
        turn = action.finished
        if turn is None:
            return
        for report in turn.reports:
            stale = self._of(report, turn)
            if stale is not None:
                stale.woken = stale.woken or turn.wait
                stale.times += 1
                stale.last = turn.wait.line
        yield from ()

    def _of(self, report: Readiness, turn: Round) -> _Stale | None:
        entry = report.registration
        if entry is None or entry.descriptor.closed is None or entry.descriptor.closed.line > turn.wait.line:
            return None
        known = self._stale.get(id(entry))
        if known is None and entry.removed is entry.descriptor.closed:
            # The close looked like the last one, but events go on: a copy lives where the trace does not show it.
            known = self._stale[id(entry)] = _Stale(entry, entry.descriptor.closed, None)
        return known

    @on_call("epoll_ctl")
    def refused(self, action: Action) -> Iterator[Finding]:
        """EPOLL_CTL_DEL comes too late: the number is not open any more."""
        call = action.call
        if call.errno != "EBADF" or "EPOLL_CTL_DEL" not in names_of(call.arg(1)):
            return
        number = call.number(2)
        for stale in self._stale.values():
            if stale.entry.number == number and stale.entry.removed is None:
                stale.refused = stale.refused or call
                return
        yield from self._excerpt(action, call, number)

    def _excerpt(self, action: Action, call: Syscall, number: int | None) -> Iterator[Finding]:
        """Tell of a set that reports a number which is not open, where its close is outside the trace."""
        for turn in action.thread.rounds.values():
            report = next((r for r in turn.reports if r.registration is None and r.data == number), None)
            if report is None or number is None or number in action.process.table.last_closed:
                continue
            yield self.finding(
                [
                    step(turn.wait, f"the set reports fd {number}"),
                    step(call, f"fd {number} is not open in this process", primary=True),
                ],
                object=f"fd {number}",
                title="an epoll set reports a number that is closed",
                confidence=Confidence.LIKELY,
                why=_WHY,
                fix=f"take fd {number} out with EPOLL_CTL_DEL before closing it; find the copy that dup or fork made",
            )

    @on_end
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
            fix=f"take fd {number} out with EPOLL_CTL_DEL before closing it, or close every copy: {_copy_name(stale)}",
            explains=[("epoll-ctl-misuse", stale.refused.line)] if stale.refused is not None else [],
        )


_WHY = (
    "the entry belongs to the open file description, not to the number: close ends it only with the last copy, and once"
    " the number is closed EPOLL_CTL_DEL cannot name the entry any more: epoll(7), question 6"
)


def _same_process(stale: _Stale) -> bool:
    return stale.copy is not None and stale.copy.table is stale.entry.descriptor.table


def _copy_name(stale: _Stale) -> str:
    if stale.copy is None:
        return "one lives outside this trace"
    what = describe_file(stale.copy.file)
    return f"fd {stale.copy.number}" + (f" = {what}" if what else "")


def _story(stale: _Stale) -> Iterator[Step]:
    number = stale.entry.number
    yield from watched(stale.entry)
    if stale.copy is not None and stale.copy.opened is not None and stale.copy.copy_of is not None:
        made = stale.copy.opened
        if made is not stale.entry.descriptor.opened:
            yield step(made, f"fd {stale.copy.number} is a copy of fd {number}")
    if isinstance(stale.close, Syscall):
        yield step(stale.close, f"fd {number} is closed, but the description lives on", primary=True)
    if stale.woken is not None:
        yield repeated(stale.woken, f"woken for the closed fd {number}", stale.times, stale.last)
    if stale.refused is not None:
        yield step(stale.refused, f"too late: fd {number} is not open any more")

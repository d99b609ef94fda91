"""TD107: a wait on a number that is not open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.cases import Cases
from tracediag.evidence.owners import last_owner
from tracediag.evidence.runs import LOOP, Run, confidence
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action
from tracediag.kernel.calls.waiting import selected
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.trace.calls import EPOLL_WAITS, POLLS, SELECTS
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.values import Structure, items_of, names_of, number_of

_RANGE = 8
_MAX_NUMBERS = 64
"""Numbers remembered for each process."""


class _Polled(Run, kw_only=True):
    """Waits on one number while it was not open."""

    number: int
    gone: Descriptor | None
    """What had the number before, if the trace shows its close."""
    suspects: tuple[int, ...] = ()
    """The candidates, where select does not report which number it was."""
    alone: bool = False
    """Whether the wait was for nothing else."""
    dropped: bool = False
    """Whether a later wait of the process left it out."""

    @property
    def spins(self) -> bool:
        """Whether the process spins on it."""
        return confidence(self, LOOP, excerpt=0) is not None


_ENTRY = lazy_pattern(r"\{fd=(-?[0-9]{1,10}+)")


def _asks_what_is_open(call: Syscall) -> bool:
    """Whether this is a cheap query of which numbers are open: all from 0 up, or a long range, with timeout 0."""
    if call.name != "poll" or not call.body.endswith(", 0"):
        return False
    numbers = [checked_integer(number) for number in _ENTRY.findall(call.body)]
    least = 2 if numbers[:1] == [0] else _RANGE
    return len(numbers) >= least and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


class ClosedFdPolled(Rule):
    """POLLNVAL, or EBADF of select and epoll_wait: which number it is, and where it was closed."""

    code = "TD107"
    name = "closed-fd-polled"
    severity = Severity.ERROR
    summary = "poll, select or epoll_wait is called with a number that is not open"

    def __init__(self) -> None:
        self._known: Cases[Process, dict[int, _Polled]] = Cases()

    @on_call(*POLLS)
    def polled(self, action: Action) -> Iterator[Finding]:
        """Look for POLLNVAL; a later poll without the number shows that it was noticed."""
        call = action.call
        invalid = _invalid(call) if "POLLNVAL" in call.detail and not _asks_what_is_open(call) else {}
        if invalid or action.process in self._known:
            yield from self._polled(action, invalid)

    def _polled(self, action: Action, invalid: dict[int, bool]) -> Iterator[Finding]:
        known = self._of(action.process)
        for polled in known.values():
            same = polled.first.pid == action.call.pid and polled.first.name in POLLS
            if same and polled.number not in invalid and not _names(action.call, polled.number):
                polled.dropped = True
        for number, alone in invalid.items():
            if number in known and known[number].dropped:
                yield self._finding(known.pop(number), action.process)
            self._count(action, number, _closed(action, number), alone=alone)

    @on_errno("EBADF")
    def refused(self, action: Action) -> None:
        """Look for the number that made select or epoll_wait fail."""
        call = action.call
        if call.name in EPOLL_WAITS:
            number = call.number(0)
            if number is not None and number >= 0:
                self._count(action, number, _closed(action, number), alone=True)
        elif call.name in SELECTS:
            self._selected(action, selected(call))

    def _selected(self, action: Action, numbers: list[int]) -> None:
        closed = {number: gone for number in numbers if (gone := _closed(action, number)) is not None}
        table = action.process.table
        suspects = list(closed) or [number for number in numbers if table.get(number) is None] or numbers
        if suspects:
            alone = len(numbers) == 1
            self._count(action, suspects[0], closed.get(suspects[0]), suspects=tuple(suspects), alone=alone)

    def _of(self, process: Process) -> dict[int, _Polled]:
        return self._known.setdefault(process, {})

    def _count(
        self,
        action: Action,
        number: int,
        gone: Descriptor | None,
        *,
        alone: bool,
        suspects: tuple[int, ...] = (),
    ) -> None:
        known, call = self._of(action.process), action.call
        polled = known.get(number)
        if polled is None:
            if len(known) < _MAX_NUMBERS:
                known[number] = _Polled(call, call, number=number, gone=gone, suspects=suspects, alone=alone)
            return
        polled.add(call)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report each number, now that the fate of the process is known."""
        known: dict[int, _Polled] = self._known.pop(end.process, {})
        for polled in known.values():
            yield self._finding(polled, end.process)

    def _finding(self, polled: _Polled, process: Process) -> Finding:
        number, gone, first = polled.number, polled.gone, polled.first
        last = None if first.name in EPOLL_WAITS or polled.times < 2 else polled.last
        unsure = len(polled.suspects) > 1 and gone is None
        which = " or ".join(f"fd {suspect}" for suspect in polled.suspects[:4]) if unsure else f"fd {number}"
        what = which if gone is None else name(gone)
        close = None if gone is None else gone.closing or gone.closed
        other = close is not None and close.pid != first.pid
        return self.finding(
            [*_history(gone, other=other), *_waits(polled, which), *_end(polled, process)],
            object=which if gone is None else describe(gone),
            title=_title(polled, what, other=other),
            severity=_severity(polled, process),
            # Of several in a select, what is not known to be closed was found by leaving out what is known to be open.
            confidence=Confidence.CERTAIN if gone or polled.alone or not polled.suspects else Confidence.LIKELY,
            absent=[] if last is None else [no(f"removal of {which} from the wait", first, last)],
            why=_why(first),
            fix=_fix(which, first, other=other),
            explains=[(rule, first.line) for rule in ("failing-call-spin", "failed-call-behind-exit")],
        )


def _invalid(call: Syscall) -> dict[int, bool]:
    """Return the numbers with POLLNVAL, and whether nothing else was waited for.

    An entry with no events is a query whether a number is open; some programs make it as they start.
    """
    wanted = {}
    for item in items_of(call.arg(0)):
        number = number_of(item.get("fd")) if isinstance(item, Structure) else None
        if isinstance(item, Structure) and number is not None and number >= 0:
            wanted[number] = number_of(item.get("events")) != 0
    found = {}
    for item in items_of(next(iter(call.parser(call.detail)), None)):
        if isinstance(item, Structure) and "POLLNVAL" in names_of(item.get("revents")):
            number = number_of(item.get("fd"))
            if number is not None and wanted.get(number, True):
                found[number] = len(wanted) == 1
    return found


def _names(call: Syscall, number: int) -> bool:
    """Whether a poll has an entry for a number; `-y` annotates it."""
    return call.has(f"fd={number}")


def _closed(action: Action, number: int) -> Descriptor | None:
    """Return what had the number, if the trace shows its close."""
    gone = last_owner(action, number)
    return gone if gone is not None and isinstance(gone.closing or gone.closed, Begun | Syscall) else None


def _history(gone: Descriptor | None, *, other: bool) -> Iterator[Step]:
    if gone is None:
        return
    close = gone.closing or gone.closed
    if isinstance(close, Begun | Syscall):
        yield from birth(gone)
        yield step(close, f"another thread closes fd {gone.number}" if other else f"fd {gone.number} is closed")


def _waits(polled: _Polled, which: str) -> Iterable[Step]:
    how = "reports POLLNVAL" if polled.first.name in POLLS else "fails with EBADF"
    yield step(polled.first, f"{polled.first.name} {how}: {which} is not open", primary=True)
    yield from polled.again("the same again, immediately")


def _end(polled: _Polled, process: Process) -> list[Step]:
    """Return the step of the bad end that a failed wait led to; POLLNVAL is no failure."""
    if polled.first.name in POLLS:
        return []
    return list(Aftermath(process, polled.last).proof_steps())


def _title(polled: _Polled, what: str, *, other: bool) -> str:
    state = "is not open" if polled.gone is None else "was closed by another thread" if other else "is closed"
    if polled.spins:
        return f"the loop spins on {polled.first.name}: {what} {state}"
    return f"{polled.first.name} waits on {what}, which {state}"


def _severity(polled: _Polled, process: Process) -> Severity:
    """An error if the process spins on it or exits because of it, a note if the process reacts to POLLNVAL."""
    if polled.spins or polled.times >= LOOP.sure or _end(polled, process):
        return Severity.ERROR
    noticed = polled.dropped and polled.times == 1 and not polled.alone
    return Severity.NOTE if noticed else Severity.WARNING


def _why(call: Syscall) -> str:
    if call.name in POLLS:
        return (
            "poll reports POLLNVAL for a number that is not open, immediately and each time; once an open reuses the"
            " number, the entry watches an unrelated file: poll(2)"
        )
    if call.name in SELECTS:
        return "a single closed number in the sets makes select fail with EBADF, whatever else is ready: select(2)"
    return (
        "the epoll set itself is closed; all its registrations went with its last descriptor: epoll_wait(2), epoll(7)"
    )


def _fix(which: str, call: Syscall, *, other: bool) -> str:
    if call.name in EPOLL_WAITS:
        return f"end the loop before {which} is closed: wake the waiting thread with an eventfd, join it, then close"
    how = "set its entry to -1, which poll ignores" if call.name in POLLS else "remove it from the sets with FD_CLR"
    return f"before {which} is closed, wake the waiting thread and {how}" if other else f"when closing {which}, {how}"

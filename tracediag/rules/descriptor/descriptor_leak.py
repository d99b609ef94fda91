"""TD307: descriptors of one origin are opened again and again, and never closed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from typing import ClassVar

from tracediag.evidence.call_table import CallTable, closer
from tracediag.evidence.cases import Cases
from tracediag.evidence.runs import LEFT_OPEN
from tracediag.evidence.steps import no, repeated
from tracediag.kernel import Action, Kernel
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end, on_table
from tracediag.rules.descriptor._growth import STANDARD_STREAMS, Group, groups, sibling
from tracediag.trace.calls import ACCEPTS, CLOSES, FORKS, OPENS, SOCKETS
from tracediag.trace.events import Event, Syscall
from tracediag.trace.quantities import count, plural

_FAILURES_KEPT = 1 << 16
_APART = 3
"""Lines from one opening to the next in a loop that uses what it opens."""
_PARTS = 4
_SHOWN = 4
_COUNTED = 500
"""More descriptors than this are half of the usual limit of 1,024."""


_WHY = (
    "once RLIMIT_NOFILE descriptors are open, every open, socket and accept fails with EMFILE, in all threads of the"
    " process: getrlimit(2), open(2)"
)


class DescriptorLeak(Rule):
    """The same object is opened repeatedly, all through the trace, and never closed."""

    code = "TD307"
    name = "descriptor-leak"
    severity = Severity.WARNING
    summary = "the same object is opened again and again and never closed: descriptors accumulate until EMFILE"
    rests_on = ("close",)
    left_open: ClassVar[int] = 3
    """Descriptors of one origin that stay open, from which on they are reported; of some origins it takes more."""

    def __init__(self) -> None:
        self._failed: Cases[Descriptor, Syscall] = Cases(_FAILURES_KEPT)
        """The last call on a descriptor that is known to have failed."""
        self._limits: Cases[Process, Syscall] = Cases()
        """The first call of a process that failed with EMFILE."""

    @on_errno(
        *(
            "EACCES",
            "EBADMSG",
            "ECONNRESET",
            "EDQUOT",
            "EFBIG",
            "EINVAL",
            "EIO",
            "EISDIR",
            "ENODEV",
            "ENOSPC",
            "ENOTDIR",
        ),
        *("ENXIO", "EOPNOTSUPP", "EOVERFLOW", "EPERM", "EPIPE", "ETIMEDOUT"),
    )
    def failed(self, action: Action) -> None:
        """Remember the last failure on a descriptor: the close may be missing on that error path."""
        if action.call.body[:1].isdigit() and action.call.name != "ioctl":
            self._note(action)

    @on_call("connect", "flock")
    def refused(self, action: Action) -> None:
        """Remember failures of calls whose errors are too common for `failed`, such as EAGAIN and ECONNREFUSED."""
        if action.call.failed and action.call.errno != "EINPROGRESS":
            self._note(action)

    @on_errno("EMFILE")
    def full(self, action: Action) -> None:
        """Remember the first EMFILE: the leak leads to it."""
        self._limits.setdefault(action.process, action.call)

    def _note(self, action: Action) -> None:
        held = action.process.table.open.get(action.call.number(0) or 0)
        if held is not None and held.number >= STANDARD_STREAMS:
            self._failed[held] = action.call

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the descriptors that a process had not closed when it ended."""
        held = end.held
        if len(held) >= LEFT_OPEN.few and _shows_closes(end.process, end.kernel):
            yield from self._judged(end.process, held, end.line, excerpt=self.scope.excerpt)

    @on_table
    def counted(self, table: CallTable) -> Iterator[Finding]:
        """Judge the openings and closes of a program without children, by their number alone."""
        openings = table.of(OPENS | SOCKETS | ACCEPTS)
        opened, closed = (sum(row.done for row in rows) for rows in (openings, table.of(("close",))))
        if opened - closed < _COUNTED or opened < 2 * closed or table.of(FORKS) or table.of(CLOSES - {"close"}):
            return
        yield self.finding(
            [openings[0].step(primary=True), *(row.step() for row in table.of(("close",)))],
            object=openings[0].name,
            title=f"{count(opened)} descriptors opened and {count(closed)} closed: a leak, unless they are in use",
            severity=Severity.WARNING,
            confidence=Confidence.POSSIBLE,
            why=_WHY,
            fix=f"see what is left open: ls -l /proc/PID/fd; record where: {closer(openings[0].name, 'close')}",
        )

    def rests(self, finding: Finding) -> Collection[str]:
        """EMFILE proves the leak even where the recording shows no close."""
        return () if finding.confidence is Confidence.CERTAIN else self.rests_on

    def _judged(self, process: Process, held: Iterable[Descriptor], end: int, *, excerpt: int = 0) -> Iterator[Finding]:
        limit = self._limits.get(process)
        until = end if limit is None else limit.line
        for group in groups(process, held, self._failed):
            openings = group.openings
            if len(openings) >= max(group.least, self.left_open) and _grows(openings, until):
                yield self._finding(process, group, end, limit)
            elif group.plain and LEFT_OPEN.enough(len(openings), excerpt):
                yield self._finding(process, group, end, limit, pasted=True)

    def _finding(
        self, process: Process, group: Group, end: int, limit: Syscall | None, *, pasted: bool = False
    ) -> Finding:
        openings, failures = group.openings, group.failures
        first, count = openings[0], len(group.left)
        numbers = sorted(held.number for held in group.left)
        shown = ", ".join(str(number) for number in numbers[:_SHOWN]) + (" ..." if len(numbers) > _SHOWN else "")
        return self.finding(
            [
                *_good(process, group),
                step(first, f"fd {first_number(group, first)} is {_opened(first)} and never closed", primary=True),
                *_failure(failures),
                repeated(
                    openings[1],
                    f"{_opened(openings[1])} again, and not closed either",
                    len(openings) - 1,
                    openings[-1].line,
                ),
                *([] if limit is None else [step(limit, f"{limit.name} fails: the descriptor limit is reached")]),
            ],
            object=f"fd {shown} = {group.label}",
            title=_title(group, count, failures),
            severity=Severity.ERROR if limit is not None else Severity.WARNING,
            confidence=_confidence(limit, pasted=pasted),
            absent=[no(f"close of fd {shown}", first, end)],
            why=_WHY,
            fix=_fix(first, failures),
            explains=_consequences(limit),
        )


def _shows_closes(process: Process, kernel: Kernel) -> bool:
    """Whether the trace seems to record `close`.

    Where it records no clone of this process, and no close at all, a filter has left both out.
    """
    filtered = process is not kernel.processes[0] and process.parent is None and process.started is None
    if not filtered:
        return True
    table, end = process.table, process.exit
    return any(gone.closed is not end for gone in table.last_closed.values())


def _consequences(limit: Syscall | None) -> Iterator[tuple[str, int]]:
    if limit is not None:
        for name in ("descriptor-limit-reached", "failed-call-behind-exit", "accept-emfile-spin", "failing-call-spin"):
            yield (name, limit.line)


def _grows(openings: list[Syscall], end: int) -> bool:
    """Whether they were opened one after another up to the end, with calls in between: neither a burst nor a pool."""
    first, last = openings[0].line, openings[-1].line
    gaps = sorted(after.line - before.line for before, after in pairwise(openings))
    if gaps[len(gaps) // 2] < _APART or last - first < (end - first) * (_PARTS - 1) // _PARTS:
        return False
    width = max(1, (last - first) // _PARTS)
    return {min(_PARTS - 1, (opening.line - first) // width) for opening in openings} == set(range(_PARTS))


def first_number(group: Group, opening: Syscall) -> int:
    """Return the number that an opening of the group returned."""
    return next(held.number for held in group.left if held.opened is opening)


def _good(process: Process, group: Group) -> Iterator[Step]:
    closed = sibling(process, group)
    event: Event | None = None if closed is None else closed.closed
    if isinstance(event, Syscall):
        yield step(event, "another of them is closed, as all should be")


def _failure(failures: list[Syscall]) -> Iterator[Step]:
    if failures:
        first = min(failures, key=lambda call: call.line)
        yield step(first, f"{first.name} fails with {first.errno}: this error path has no close")


def _title(group: Group, count: int, failures: list[Syscall]) -> str:
    after = f" after {failures[0].name} failed" if failures and failures[0].name != "connect" else ""
    if group.left[0].copy_of is None and group.openings[0].name in OPENS:
        return f"{plural(count, 'descriptor')} of {group.label} left open{after}"
    return f"{plural(count, 'descriptor')} left open{after}: each is {group.label}"


def _opened(call: Syscall) -> str:
    return "opened" if call.name in OPENS else "created"


def _confidence(limit: Syscall | None, *, pasted: bool) -> Confidence:
    if pasted:
        return Confidence.POSSIBLE
    return Confidence.LIKELY if limit is None else Confidence.CERTAIN


def _fix(first: Syscall, failures: list[Syscall]) -> str:
    where = f"also when {failures[0].name} fails" if failures else "on every path that leaves this code"
    return f"close the descriptor from {first.name} (line {first.line}) {where}"

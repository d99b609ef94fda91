"""TD307: descriptors of one origin are opened again and again, and never closed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise

from tracediag.evidence.steps import no, repeated
from tracediag.kernel import Action, Kernel
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.rules.descriptor._growth import FAILED, STANDARD_STREAMS, Group, groups, sibling
from tracediag.trace.events import Event, Syscall
from tracediag.trace.quantities import plural

_LIMIT = "TD307 limit"
"""On a process: its first EMFILE."""
_PASTED = 3
"""How many of one origin are enough in an excerpt."""
_APART = 3
"""Lines between two openings of a loop that does something with what it opens."""
_PARTS = 4
_SHOWN = 4


class DescriptorLeak(Rule):
    """The same thing is opened over and over, all through the trace, and what was opened is never closed."""

    code = "TD307"
    name = "descriptor-leak"
    severity = Severity.WARNING
    summary = "the same thing is opened again and again and never closed: the descriptors pile up"
    rests_on = ("close",)

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
        """Remember the last failure on a descriptor: it may be the way out on which it is forgotten."""
        if action.call.body[:1].isdigit() and action.call.name != "ioctl":
            _note(action)

    @on_call("connect", "flock")
    def refused(self, action: Action) -> None:
        """The same for calls that often fail by an error too common to be asked for."""
        if action.call.failed and action.call.errno != "EINPROGRESS":
            _note(action)

    @on_errno("EMFILE")
    def full(self, action: Action) -> None:
        """What the leak leads to, in the end."""
        action.process.memory.setdefault(_LIMIT, action.call)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Look at what a process had not closed by its end."""
        held = end.held
        if len(held) >= _PASTED and _shows_closes(end.process, end.kernel):
            yield from self._judged(end.process, held, end.line, pasted=self.scope.is_excerpt)

    def rests(self, finding: Finding) -> Collection[str]:
        """EMFILE proves by itself that too many are open, whether the recording shows closes or not."""
        return () if finding.confidence is Confidence.CERTAIN else self.rests_on

    def _judged(
        self, process: Process, held: Iterable[Descriptor], end: int, *, pasted: bool = False
    ) -> Iterator[Finding]:
        limit: Syscall | None = process.memory.get(_LIMIT)
        until = end if limit is None else limit.line
        for group in groups(process, held):
            openings = group.openings
            if len(openings) >= group.least and _grows(openings, until):
                yield self._finding(process, group, end, limit)
            elif pasted and group.plain and len(openings) >= _PASTED:
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
                step(first, f"fd {first_number(group, first)} is made, and never closed", primary=True),
                *_failure(failures),
                repeated(openings[1], "the same again, not closed either", len(openings) - 1, openings[-1].line),
                *([] if limit is None else [step(limit, "no descriptor is left")]),
            ],
            object=f"fd {shown} = {group.label}",
            title=_title(group, count, failures),
            severity=Severity.ERROR if limit is not None else Severity.WARNING,
            confidence=_confidence(limit, pasted=pasted),
            absent=[no(f"close of fd {shown}", first, end)],
            why="a descriptor stays open until it is closed or the process ends, and their number is limited"
            " (RLIMIT_NOFILE): in the end every open, socket and accept fails with EMFILE: close(2), getrlimit(2)",
            fix=_fix(first, failures),
            explains=_consequences(limit),
        )


def _shows_closes(process: Process, kernel: Kernel) -> bool:
    """Whether `close` was recorded, as far as can be told.

    Where clone was not, and nothing is ever closed, it was left out as well.
    """
    filtered = process is not kernel.processes[0] and process.parent is None and process.started is None
    if not filtered:
        return True
    table, end = process.table, process.exit
    return any(gone.closed is not end for gone in table.last_closed.values())


def _note(action: Action) -> None:
    held = action.process.table.open.get(action.call.number(0) or 0)
    if held is not None and held.number >= STANDARD_STREAMS:
        held.memory[FAILED] = action.call


def _consequences(limit: Syscall | None) -> Iterator[tuple[str, int]]:
    if limit is not None:
        for name in ("descriptor-limit-reached", "failed-call-behind-exit", "accept-emfile-spin", "failing-call-spin"):
            yield (name, limit.line)


def _grows(openings: list[Syscall], end: int) -> bool:
    """Whether they were opened one after another up to the end, with something done in between: no burst, no pool."""
    first, last = openings[0].line, openings[-1].line
    gaps = sorted(after.line - before.line for before, after in pairwise(openings))
    if gaps[len(gaps) // 2] < _APART or last - first < (end - first) * (_PARTS - 1) // _PARTS:
        return False
    width = max(1, (last - first) // _PARTS)
    return {min(_PARTS - 1, (opening.line - first) // width) for opening in openings} == set(range(_PARTS))


def first_number(group: Group, opening: Syscall) -> int:
    """Return the number that an opening of the group has given."""
    return next(held.number for held in group.left if held.opened is opening)


def _good(process: Process, group: Group) -> Iterator[Step]:
    closed = sibling(process, group)
    event: Event | None = None if closed is None else closed.closed
    if isinstance(event, Syscall):
        yield step(event, "another of them is closed, as it should be")


def _failure(failures: list[Syscall]) -> Iterator[Step]:
    if failures:
        first = min(failures, key=lambda call: call.line)
        yield step(first, f"{first.name} on it fails with {first.errno}: it is left open on this way out")


def _title(group: Group, count: int, failures: list[Syscall]) -> str:
    after = f" after {failures[0].name} has failed" if failures and failures[0].name != "connect" else ""
    return f"{plural(count, 'descriptor')} pile up{after}: each is {group.label}"


def _confidence(limit: Syscall | None, *, pasted: bool) -> Confidence:
    if pasted:
        return Confidence.POSSIBLE
    return Confidence.LIKELY if limit is None else Confidence.CERTAIN


def _fix(first: Syscall, failures: list[Syscall]) -> str:
    if failures:
        return f"close what {first.name} at line {first.line} has made also where {failures[0].name} fails after it"
    return f"close what {first.name} at line {first.line} has made on every way out of the code that opens it"

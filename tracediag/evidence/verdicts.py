"""Which process caused a bad end: traced from a parent down to the child that failed first.

A child that fails is judged together with its parent, since a script may expect a command to fail. So the verdict on a
child is kept with its parent until the parent or the trace ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator

from tracediag.evidence.blame import Blame, find_blame
from tracediag.evidence.cases import Cases
from tracediag.evidence.children import closer_of, line_of, names, sent, was_ended_by_parent
from tracediag.evidence.complaints import Complaint, said_by
from tracediag.evidence.faults import FAULTS
from tracediag.evidence.overheard import overheard
from tracediag.evidence.set_id import lost_words
from tracediag.evidence.steps import last_line
from tracediag.evidence.verdict import Verdict, chain
from tracediag.kernel import Kernel
from tracediag.kernel.calls.transfer import BROKEN
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Severity
from tracediag.trace.calls import EXECS
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit

_CHILDREN_KEPT = 16
_STRANGERS_KEPT = 64
_SOON = 60
_DIRECTLY = 2
"""Most lines between the end of a child and an end of its parent that it caused."""


class Verdicts:
    """The verdicts on the processes of one trace; rules share them (`Scope.verdicts`), so that each is reached once."""

    def __init__(self, sent: Collection[tuple[Process, Syscall]] = ()) -> None:
        self._sent = sent
        """The last signals that traced processes sent, with their senders."""
        self._known: Cases[Process, Verdict] = Cases()
        self._children: Cases[Process, deque[Verdict]] = Cases()
        """For each running process, the verdicts on its last children that failed."""
        self._strangers: dict[int, Verdict] = {}
        """By pid: those on processes that failed and whose parent is not known, unless a wait shows it."""

    def judge(self, process: Process) -> Verdict:
        """Return the verdict on a process that has ended, and pass it to a parent that is still running."""
        known = self._known.get(process)
        if known is not None:
            return known
        verdict = self._known[process] = _judged(process, self._of_children(process))
        verdict.ended_by_parent = was_ended_by_parent(process, self._sent)
        order = process.order
        verdict.ordered_by = order.sender if order is not None and order.name == verdict.signal else None
        parent = process.parent
        if parent is not None and parent.exit is None and (verdict.bad or verdict.tolerated):
            self._children.setdefault(parent, deque(maxlen=_CHILDREN_KEPT)).append(verdict)
        elif parent is None and process.started is None and process.pid is not None and verdict.bad:
            self._strangers[process.pid] = verdict
            if len(self._strangers) > _STRANGERS_KEPT:
                del self._strangers[next(iter(self._strangers))]
        return verdict

    def unsettled(self, kernel: Kernel) -> Iterator[Verdict]:
        """Yield the verdicts that remain at the end of the trace: those on children of running processes."""
        for process in kernel.processes:
            if process.exit is None and process.end is None:
                children = self._of_children(process)
                yield Verdict(process.pid, process.program, None, None, None, tolerated=children)

    def _of_children(self, process: Process) -> list[Verdict]:
        """Return the children that ended badly, with the calls that collected their status."""
        found = list(self._children.get(process, ()))
        if self._strangers:
            reaped = (known.child for known in process.reaped)
            unborn = (child for child in (*reaped, *process.children.values()) if child and child.started is None)
            claimed = [child.pid for child in unborn if child.pid is not None]
            found += [self._strangers.pop(pid) for pid in claimed if pid in self._strangers]
        found += not_followed(process)
        for child in found:
            waits = (known.call for known in process.reaped if names(known, child.pid))
            child.waited = child.waited or (next(waits, None) if child.followed else None)
            by_parent = process.is_called(child.ordered_by)
            if child.signal is not None and (by_parent or sent(process, child.pid, child.signal, self._sent)):
                child.ended_by_parent = True
        return found


def not_followed(process: Process) -> Iterator[Verdict]:
    """Yield the children that ended badly and of which the trace holds only the wait for them."""
    for known in process.reaped:
        unseen = known.child is None or (known.child.exit is None and not known.child.table.seen)
        if unseen and (known.status or known.signal is not None):
            heard = overheard(known)
            yield Verdict(known.pid, None, known.call, known.status, known.signal, followed=False, overheard=heard)


def _judged(process: Process, children: list[Verdict]) -> Verdict:
    end = process.end
    killed = isinstance(end, Exit) and end.signal is not None
    status = end.status if isinstance(end, Exit) else process.exit_status
    verdict = Verdict(process.pid, process.program, end, status, end.signal if isinstance(end, Exit) else None)
    verdict.from_start = process.execs > 0 or process.started is not None
    if verdict.bad and end is not None:
        verdict.blame = _unheard(process) if killed else _own(process, find_blame(process, end.line))
        verdict.lost = lost_words(process)
        said = said_by(process)
        verdict.complaint = said.last if said.pieces else None
        verdict.child = _culprit(process, verdict, children)
    verdict.tolerated = [child for child in children if child is not verdict.child]
    return verdict


def _own(process: Process, blame: Blame | None) -> Blame | None:
    """Drop a guess if an order to stop followed the call: servers exit with a status for that, too."""
    if blame is None or blame.named:
        return blame
    return None if process.order is not None and process.order.line > blame.call.line else blame


def _unheard(process: Process) -> Blame | None:
    """Return the write for which SIGPIPE killed the process, or the execve after which it ran into what is no code."""
    last, end = process.failures[-1] if process.failures else None, process.exit
    if last is None or end is None:
        return None
    if last.errno == "EFAULT" and last.name in EXECS and end.signal in FAULTS and end.line - last.line <= _DIRECTLY:
        # Code with bad arguments for execve has mostly nothing after the call: the crash follows from the failure.
        return Blame(last, None, False, Confidence.LIKELY)
    return Blame(last, None, False, Confidence.CERTAIN) if end.signal == "SIGPIPE" and last.errno == "EPIPE" else None


def _culprit(process: Process, verdict: Verdict, children: list[Verdict]) -> Verdict | None:
    """Return the child that caused this end."""
    bad = [child for child in children if child.bad and not child.ended_by_parent]
    if not bad or verdict.end is None:
        return None
    same = [child for child in bad if _passed_on(child, verdict)]
    latest = (same or bad)[-1]
    assert latest.end is not None
    learned = latest.end.line if latest.waited is None else max(latest.end.line, latest.waited.line)
    blame = verdict.blame
    if blame is not None and blame.call.errno not in BROKEN and blame.confidence is Confidence.CERTAIN:
        return None
    if blame is not None and blame.call.errno not in BROKEN and _spoke_first(blame, latest):
        return None
    if verdict.signal is not None and (verdict.signal != "SIGPIPE" or blame is None):
        return None
    if blame is not None and blame.call.errno in BROKEN:
        return _hung_up(process, bad, latest, blame.call)
    return latest if same or verdict.end.line - learned <= _SOON else None


def _spoke_first(blame: Blame, child: Verdict) -> bool:
    """Whether the parent wrote a message after its own failure, before the child failed, and strace shows no text."""
    if blame.message is None or child.blame is None or Complaint((blame.message,)).withheld is None:
        return False
    return blame.message.line < child.blame.call.line


def _hung_up(process: Process, bad: list[Verdict], latest: Verdict, write: Syscall) -> Verdict | None:
    """Return the child that closed the other end of a write: known if the trace shows both ends, else by time."""
    closer = closer_of(process, write)
    child = next((child for child in reversed(bad) if closer in {link.pid for link in chain(child)}), None)
    if closer is not None and child is not None:
        child.held = True
        return child
    well = any(names(known, closer) and known.status == 0 for known in process.reaped)
    return latest if not well and _cut_off(latest, write) else None


def _cut_off(child: Verdict, write: Syscall) -> bool:
    """Whether a write may have failed because the child just ended, before its parent waited for it."""
    returned = write.end_line or write.line
    unknown = child.waited is None or child.waited.line > write.line
    return unknown and line_of(child.end) < returned <= line_of(child.end) + _SOON


def _passed_on(child: Verdict, parent: Verdict) -> bool:
    """Whether the status of the parent is that of the child: a shell exits with 128 + n for a signal."""
    if child.signal is None:
        return child.status == parent.status
    return parent.signal == child.signal or (parent.status or 0) > 128


def final(process: Process) -> bool:
    """Whether no running parent in the trace may still show that the end of this process was expected."""
    return process.parent is None or process.parent.exit is not None


def outlives(process: Process, kernel: Kernel) -> bool:
    """Whether a process fails after its parent has ended well: what that was started for had succeeded without it.

    A daemon, with a session of its own, is what its parent was started for.
    """
    parent, first = process.parent, kernel.processes[0]
    if process is first or parent is None or parent.exit is None or parent.ended_badly:
        return False
    return process.session is None or process.session == first.session


def is_orphan(process: Process, kernel: Kernel) -> bool:
    """Whether strace follows a process although the call that created it was not recorded.

    The first process of an excerpt may be one as well, also if it executes a program later: a wait shows its parent.
    """
    if process.parent is not None or process.started is not None:
        return False
    return len(kernel.processes) > 1


def _head(kernel: Kernel) -> Process:
    """Return the ancestor of all others: the process that started first, or else the one that outlives them."""
    first = kernel.processes[0]
    if first.execs or (first.exit is not None and first.exit.line == kernel.last_line):
        return first
    return max(kernel.processes, key=lambda process: process.exit.line if process.exit else last_line(kernel) + 1)


def ceiling(verdict: Verdict, kernel: Kernel) -> Severity:
    """Return the highest severity of an orphan's failure: that of a child of the first process."""
    head = _head(kernel)
    if head.pid == verdict.pid and verdict.blame is not None and verdict.blame.peer_gone:
        head = kernel.processes[0]  # its server ended first, and this end follows from that
    end = head.exit
    if end is None:
        return Severity.WARNING
    if end.signal is None and not end.status:
        return Severity.NOTE
    return Severity.ERROR if end.status == verdict.status else Severity.WARNING

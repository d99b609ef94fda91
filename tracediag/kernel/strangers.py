"""Processes that appear without the call that created them: strace was attached to them, or a filter hides their birth.

Several of them may be threads of one process, with one descriptor table, or forked from one another, with copies of it.
`sharing` knows what proves the first; here stands what proves that two are processes of their own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.table import DescriptorTable
from tracediag.trace.records import Exit, Notice

_MOST = 64
"""Of those that have ended, this many are remembered."""
_MOST_PIDS = 1024


class Strangers:
    """The processes whose birth is not in the trace."""

    def __init__(self) -> None:
        self.count = 0
        """How many have appeared that are not known to be threads of another."""
        self.last = 0
        """The line at which the last one appeared."""
        self.attached = 0
        """With how many threads strace was attached to processes before their first call."""
        self.unclosed: dict[int | None, int] = {}
        """The threads of processes that were given a number that they still held: closes of theirs were not traced.

        Each with the last line that shows it.
        """
        self.mixed = False
        """Whether the number of a descriptor may mean another object than the model has: a close may lack."""
        self._distinct: set[Process] = set()
        """Those that a snapshot of /proc shows as processes of their own."""
        self._known: dict[Process, int] = {}
        """The living and the last of the dead, each with the line at which it appeared."""
        self._by_pid: dict[int | None, Process] = {}
        """The same by the pid of each of their threads; bounded."""
        self._united: dict[Process, int] = {}
        """Those of which the threads were taken for several processes up to a line."""
        self._dead: OrderedDict[Process, None] = OrderedDict()
        self._unclaimed: OrderedDict[int, Process] = OrderedDict()
        """By pid: the processes that have exited and of which the trace does not show the parent; bounded."""
        self._announced: set[int] = set()
        """The pids that strace itself has announced, each by a line of its own; bounded."""
        self.leader: int | None = None
        """The pid of the process that strace was attached to with all its threads, where it is the only one."""
        self.crew: Process | None = None
        """That process, once one of its threads has a line."""
        self._missing = 0
        """How many of these threads have had no line so far."""

    def appear(self, process: Process, line: int) -> None:
        """Add a process at its first line."""
        self.count += 1
        self.mixed = self.mixed or self.count > 1
        self.last = line
        self._known[process] = line
        self.enlist(process.pid, process)

    def tell_apart(self, process: Process) -> None:
        """Note that a snapshot shows the process with all its threads; it was taken just before the first event."""
        self._distinct.add(process)
        self.mixed = True

    def enlist(self, tid: int | None, process: Process) -> None:
        """Remember the process of a thread, also for after its end."""
        if len(self._by_pid) < _MOST_PIDS:
            self._by_pid[tid] = process

    def absorb(self, process: Process, into: Process, line: int) -> None:
        """Forget a process whose threads turn out at a line to be another one's."""
        self.count -= 1
        self.mixed = self.count > 1 or bool(self._distinct)
        self._known.pop(process, None)
        self._united.pop(process, None)
        self._united[into] = line
        if self.crew is process:
            self.crew = into
        for tid, known in self._by_pid.items():
            if known is process:
                self._by_pid[tid] = into

    def of(self, pid: int | None) -> Process | None:
        """Return the process that a pid belongs or belonged to; None if its birth is in the trace."""
        return self._by_pid.get(pid)

    def announce(self, notice: Notice, *, early: bool) -> None:
        """Note "Process N attached": a newcomer, or with "M threads" or before any call a process that ran before."""
        if early:
            self.attached += notice.threads
        if notice.threads == 1:
            if notice.subject is not None and len(self._announced) < _MOST_PIDS:
                self._announced.add(notice.subject)
            return
        # Of several processes nothing tells which of them a thread belongs to.
        self.leader, self._missing = (notice.subject, notice.threads) if self.leader is None else (0, 0)

    def expects(self, tid: int) -> bool:
        """Whether a newcomer is one of the threads that strace was attached to at the start; each counts once."""
        if self._missing <= 0 or tid in self._announced:
            return False
        self._missing -= 1
        return True

    def lives_on(self, process: Process, end: Exit) -> bool:
        """Whether threads without a line so far remain after the last known one has ended."""
        return process is self.crew and self._missing > 0 and process.leaving is None and end.signal is None

    def miss_closes(self, table: DescriptorTable, line: int) -> None:
        """Note that the trace lacks a close by a process with this table."""
        self.unclosed.update((thread.tid, line) for process in table.users for thread in process.threads)

    def leave(self, process: Process) -> None:
        """Note that a process has ended."""
        self._distinct.discard(process)
        if process in self._known:
            self._dead[process] = None
            if len(self._dead) > _MOST:
                gone, _ = self._dead.popitem(last=False)
                self._known.pop(gone, None)
                self._united.pop(gone, None)
        if process.started is None and process.parent is None and process.pid is not None:
            self._unclaimed[process.pid] = process
            if len(self._unclaimed) > _MOST:
                self._unclaimed.popitem(last=False)

    def claim(self, pid: int, parent: Process) -> Process | None:
        """Return the child that a wait reports, if the trace does not show the call that created it.

        Only a parent gets the status of a process: wait(2).
        """
        child = self._unclaimed.pop(pid, None)
        if child is None or child is parent:
            return None
        child.parent = parent
        return child

    def holding(self, number: int) -> Iterator[tuple[Process, Descriptor]]:
        """Yield the processes with what they hold under a number, without what was inherited and not used."""
        for known in list(self._known):
            held = known.table.open.get(number)
            if held is not None:
                yield known, held

    def before(self, process: Process, line: int) -> bool:
        """Whether a process had appeared before a line."""
        return process in self._known and self._known[process] < line

    def may_share(self, process: Process, since: int = 0, *, closes: bool = False) -> bool:
        """Whether another of them may be a thread of this one, or was not yet known to be one at a line.

        Args:
            process: one of them.
            since: the line.
            closes: whether every close shows.
        """
        if self._united.get(process, 0) > since:
            return True
        if self.count <= 1 or process not in self._known:
            return False
        return any(
            other is not process
            and not self._apart(process, other)
            and not (closes and self._both_hold(process, other))
            for other in self._known
        )

    def may_be_one(self, one: Process, other: Process) -> bool:
        """Whether two of them may be threads of one process."""
        return one in self._known and other in self._known and not self._apart(one, other)

    def _apart(self, one: Process, other: Process) -> bool:
        """Whether two are known to be processes of their own."""
        return (
            self._distinct.issuperset((one, other))
            or one.parent is other
            or other.parent is one
            or self._executed(one, other)
            or self._executed(other, one)
            or _outlived(one, other)
            or _outlived(other, one)
        )

    def _both_hold(self, one: Process, other: Process) -> bool:
        """Whether each was given the same number and holds it: no table gives out a number that is open, open(2)."""
        mine, its = one.table.open, other.table.open
        for number in mine.keys() & its.keys():
            born = [held.opened for held in (mine[number], its[number]) if held.closing is None]
            lines = [call.line for call in born if call is not None]
            if len(lines) > 1 and not self._closed_elsewhere(number, min(lines)):
                return True
        return False

    def _closed_elsewhere(self, number: int, since: int) -> bool:
        """Whether a number was closed after a line by a process that had not opened it."""
        for known in self._known:
            held = known.table.open.get(number)
            gone = known.table.last_closed.get(number) if held is None else held.before
            if gone is not None and gone.opened is None and gone.closed is not None and gone.closed.line > since:
                return True
        return False

    def _executed(self, one: Process, other: Process) -> bool:
        """Whether one executed a program and the other lived on: execve ends all other threads, execve(2)."""
        call = one.executed
        return call is not None and self._known[other] < call.line < _last_line(other)


def _outlived(one: Process, other: Process) -> bool:
    """Whether one made calls after the other had ended: exit_group and fatal signals end all threads, exit_group(2)."""
    end = other.exit
    if end is None or (other.leaving is None and end.signal is None):
        return False
    return end.line < _last_line(one)


def _last_line(process: Process) -> int:
    """Return the line of the last call of a process that is known."""
    calls = [thread.last_call for thread in process.threads] + [process.leaving, process.executed]
    return max((call.line for call in calls if call is not None), default=0)

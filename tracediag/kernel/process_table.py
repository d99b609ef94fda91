"""Maps the pids that strace prints to threads and processes, even if a trace shows their creation late.

A child's lines may come before its parent's clone returns; strace prints no pid while it follows only one process and
writes to a terminal; and a trace may start in the middle of a run.
"""

from __future__ import annotations

from collections import OrderedDict

from tracediag.kernel.forking import clone_flags, forked
from tracediag.kernel.namespaces import InnerNumbers
from tracediag.kernel.newborns import forked_from, started_by
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.signals import SignalTable
from tracediag.kernel.table import DescriptorTable
from tracediag.trace.calls import FORKS
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.records import Exit, Notice

_CROWD = 64
"""Threads among which the only process left is looked for."""
_MOST = 1024
"""Number of processes from which the longest dead are dropped: a build starts thousands."""
_MOST_UNCLAIMED = 64
_MOST_SILENT = 64


class ProcessTable:
    """The threads and processes of a trace."""

    def __init__(self) -> None:
        self.threads: dict[int | None, Thread] = {}
        self.processes: list[Process] = []
        self.strangers = 0
        """How many processes appeared without the call that created them."""
        self._cloning: OrderedDict[Thread, None] = OrderedDict()
        """Threads inside a clone, the latest last."""
        self._staying: OrderedDict[Thread, None] = OrderedDict()
        """The threads in order of appearance, except those that lines without a pid have shown to be gone."""
        self._touched: dict[Thread, None] = {}
        """The threads with an event since lines were left out."""
        self._unclaimed: OrderedDict[int, Process] = OrderedDict()
        """By pid: the processes that have exited and of which the trace does not show the parent; bounded."""
        self._silent: OrderedDict[int, Thread] = OrderedDict()
        """The children without a line so far, by what their clone returned; bounded, the latest last."""
        self._born: dict[Thread, Thread] = {}
        """The child that appeared while a thread was in a clone, until the clone returns."""
        self.inner = InnerNumbers()
        self.last: Thread | None = None
        """The thread of the last event: nearly always that of the next one as well."""

    def thread(self, event: Event) -> Thread:
        """Return the thread of an event, creating it at its first event; nearly always it is `last`: ask that first."""
        found = self.threads.get(event.pid)
        if found is None:
            found = self._newcomer(event)
            # Without pids a notice of strace itself stands before the first call.
            found.appeared = event.line + isinstance(event, Notice)
        self.last = found
        if self._silent and found.tid is not None:
            self._silent.pop(found.tid, None)
        self._touched[found] = None
        return found

    def _newcomer(self, event: Event) -> Thread:
        tid = event.pid
        if tid is None and self.threads:
            return self._only_one_left()
        if tid is not None and self._silent and self.inner.threads:
            return self._rename(tid)
        parent = next(reversed(self._cloning), None) if tid is not None else None
        if parent is not None and parent.inside is not None:
            return self.clone(parent, tid, parent.inside)
        nameless = self.threads.get(None)
        if nameless is not None and tid is not None:
            return self._name(nameless, tid)
        return self._newborn(event) or self._stranger(tid)

    def _newborn(self, event: Event) -> Thread | None:
        """Return the child or thread that a first call shows, if its clone is not recorded; None if it shows none."""
        if len(self._staying) > _CROWD or event.pid is None or not isinstance(event, Syscall | Begun):
            return None
        staying = [thread for thread in self._staying if not _leaving(thread)]
        if (parent := forked_from(event, staying)) is not None:
            child = self._enter(forked(next(iter(parent.threads)), event.pid, frozenset(), event), event.pid)
        elif (process := started_by(event, staying)) is not None:
            child = self._enter(process, event.pid)
        else:
            return None
        return child

    def _rename(self, tid: int) -> Thread:
        """Give the child that has been without a line for longest the pid of the lines: its own is of a namespace."""
        number, thread = self._silent.popitem(last=False)
        self.threads.pop(number, None)
        if thread.process.pid == number:
            thread.process.pid = tid
        thread.tid = tid
        self.threads[tid] = thread
        self.inner.tell(thread, number)
        return thread

    def find(self, number: int | None) -> Thread | None:
        """Return the live thread that a program means by a number, as an argument of kill(2) or as si_pid."""
        return None if number is None else self.inner.threads.get(number) or self.threads.get(number)

    def alone(self) -> Process | None:
        """Return the only process that has not ended; None if there are several, or none."""
        if len(self._staying) > _CROWD:
            return None
        alive = {thread.process for thread in self._staying if not _leaving(thread)}
        return alive.pop() if len(alive) == 1 else None

    def _only_one_left(self) -> Thread:
        """Return the only process left, to which lines without a pid belong (strace writing to a terminal)."""
        while self._staying:
            first = next(iter(self._staying))
            if not _leaving(first):
                return first
            del self._staying[first]
        return next(iter(self.threads.values()))

    def _name(self, nameless: Thread, tid: int) -> Thread:
        """Give the process that had no pid so far the pid that it turns out to have."""
        del self.threads[None]
        nameless.tid = tid
        nameless.process.pid = tid
        self.threads[tid] = nameless
        return nameless

    def _stranger(self, tid: int | None) -> Thread:
        self.strangers += 1
        process = Process(tid, DescriptorTable(), SignalTable())
        process.table.users[process] = None
        return self._enter(process, tid)

    def absorb(self, process: Process) -> None:
        """Forget a process whose threads turned out to be another one's."""
        self.strangers -= 1
        self.processes.remove(process)

    def _enter(self, process: Process, tid: int | None) -> Thread:
        thread = Thread(tid, process)
        process.threads[thread] = None
        if len(process.threads) == 1 and process not in self.processes[-1:]:
            self.processes.append(process)
        self.threads[tid] = thread
        self._staying[thread] = None
        return thread

    def begin_clone(self, parent: Thread) -> None:
        """Note that a thread is inside a clone: the next unknown pid is its child."""
        self._cloning.setdefault(parent)

    def end_clone(self, parent: Thread) -> None:
        """Note that the clone has returned."""
        self._cloning.pop(parent, None)

    def expect(self, tid: int, near: Thread) -> None:
        """Record strace's "Process N attached", which names the child before its first line."""
        parent = next(reversed(self._cloning), near)
        if tid in self.threads:
            self._silent.pop(tid, None)
        elif parent.inside is not None and parent.inside.name in FORKS:
            self.clone(parent, tid, parent.inside)
        elif self._silent:
            self._rename(tid)

    def clone(self, parent: Thread, tid: int | None, call: Syscall | Begun) -> Thread:
        """Create the child of a clone, or return it if its lines came first."""
        known, came = self.threads.get(tid), None if isinstance(call, Begun) else self._born.pop(parent, None)
        if known is None and came is not None and tid is not None and came.inner in (None, tid):
            return self.number(came, parent, tid)
        if known is not None and (known.process.started is not None or known.process is parent.process):
            _hand_over(known.process, parent.process, call)
            return known
        flags = clone_flags(call)
        if "CLONE_THREAD" in flags:
            child = self._enter(parent.process, tid)
            child.apart = parent.apart if "CLONE_FS" in flags else parent.place.copy()
        else:
            child = self._enter(forked(parent, tid, flags, call), tid)
        child.blocked = parent.blocked
        if isinstance(call, Begun):
            if len(self._cloning) == 1:  # no other clone is under way
                self._born[parent] = child
        elif tid is not None:
            self._silent[tid] = child
            if len(self._silent) > _MOST_SILENT:
                self._silent.popitem(last=False)
        self.end_clone(parent)
        return child

    def number(self, child: Thread, parent: Thread, number: int) -> Thread:
        """Record that the clone has returned another number for a child than that of its lines."""
        self.end_clone(parent)
        if child.tid is not None and parent.process.children.get(child.tid) is child.process:
            del parent.process.children[child.tid]
            parent.process.children[number] = child.process
        self.inner.tell(child, number)
        return child

    def leave(self, thread: Thread, event: Exit) -> Process | None:
        """Remove a thread; return its process if this was its last thread."""
        process = thread.process
        process.threads.pop(thread, None)
        self._staying.pop(thread, None)
        self._stand_in(thread)
        self.end_clone(thread)
        self._born.pop(thread, None)
        self.inner.forget(thread)
        # The kernel will reuse the number; a later line with it belongs to another thread.
        if self.threads.get(thread.tid) is thread and thread.tid is not None:
            del self.threads[thread.tid]
            self.last = None
        if process.threads:
            return None
        process.exit = event
        if process.started is None and process.parent is None and process.pid is not None:
            self._unclaimed[process.pid] = process
            if len(self._unclaimed) > _MOST_UNCLAIMED:
                self._unclaimed.popitem(last=False)
        return process

    def claim(self, pid: int, parent: Process) -> Process | None:
        """Return the child that a wait reports, if the trace does not show the call that created it.

        Only a parent gets the status of a process: wait(2).
        """
        child = self._unclaimed.pop(pid, None)
        if child is None or child is parent:
            return None
        child.parent = parent
        return child

    @property
    def all_gone(self) -> bool:
        """Whether every process has exited."""
        return all(not thread.process.threads for thread in self.threads.values())

    def _stand_in(self, thread: Thread) -> None:
        """Let another thread represent one that exits: they share the table that an elision makes stale."""
        if self._touched.pop(thread, thread) is None and thread.process.threads:
            self._touched[next(iter(thread.process.threads))] = None

    def drop_oldest_dead(self) -> None:
        """Drop the longest dead of very many processes; keep the first one, which strace was started on."""
        if len(self.processes) > max(_MOST, 2 * len(self.threads)):
            first, *others = self.processes
            dead = sum(not process.threads for process in others)
            kept: list[Process] = [first]
            for process in others:
                if not process.threads and dead > _MOST // 2:
                    dead -= 1
                else:
                    kept.append(process)
            self.processes[:] = kept

    def forget_rounds(self) -> None:
        """Discard the open turns and closed numbers: lines were left out, so neither is known any more."""
        for thread in self._touched:
            for turn in thread.rounds.values():
                for report in turn.reports:
                    if report.descriptor is not None:
                        report.descriptor.readiness = None
            thread.rounds.clear()
            thread.process.table.last_closed.clear()
        self._touched = {} if self.last is None else {self.last: None}

    def supersede(self, thread: Thread, by: int) -> None:
        """Move the thread `by`, which called execve, to the pid of this one: execve(2)."""
        other = self.threads.pop(by, None)
        if other is not None and other is not thread:
            other.process.threads.pop(other, None)
            self._staying.pop(other, None)
            self._stand_in(other)


def _hand_over(child: Process, parent: Process, call: Syscall | Begun) -> None:
    """Move a child to the parent whose clone returned its pid: another forking process had been guessed."""
    wrong = child.parent
    if wrong is None or wrong is parent or child is parent or child.pid is None or isinstance(call, Begun):
        return
    wrong.children.pop(child.pid, None)
    if (child.place.since or 0) < call.line:
        child.place = parent.place.copy()
    child.parent, child.started = parent, call
    parent.children[child.pid] = child


def _leaving(thread: Thread) -> bool:
    """Whether a thread has exited or is about to: with `-qq` strace does not report exits."""
    process, last = thread.process, thread.last_call
    return process.exit is not None or process.exit_status is not None or (last is not None and last.name == "exit")

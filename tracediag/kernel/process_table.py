"""Maps the pids that strace prints to threads and processes, even if a trace shows their creation late.

A child's lines may come before its parent's clone returns; strace prints no pid while it follows only one process and
writes to a terminal; and a trace may start in the middle of a run.
"""

from __future__ import annotations

from tracediag.kernel.births import Births
from tracediag.kernel.forking import clone_flags, forked, hand_over
from tracediag.kernel.living import Living
from tracediag.kernel.newborns import newborn
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.touched import Touched
from tracediag.trace.calls import FORKS
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.records import Exit, Notice, NotUnderstood, Other, Remark

_UNTOLD = (Other, NotUnderstood, Remark)
"""Lines that are of no process: where all have ended, none is born with them."""


class ProcessTable(Living):
    """The threads and processes of a trace, and which of them each event is of."""

    def __init__(self) -> None:
        super().__init__()
        self._touched = Touched()
        self.births = Births(self.inner)
        self.last: Thread | None = None
        """The thread of the last event: nearly always that of the next one as well."""
        self._ended: Thread | None = None
        """The last thread that ended."""
        self.began: float | None = None
        """The time of the first event, in seconds."""

    def thread(self, event: Event) -> Thread:
        """Return the thread of an event, creating it at its first event; nearly always it is `last`: ask that first."""
        found = self.threads.get(event.pid)
        if found is None:
            if self._ended is not None and event.pid is None and not self.threads and isinstance(event, _UNTOLD):
                return self._ended
            if self.began is None:
                self.began = event.time
            found = self._newcomer(event)
            # Without pids a notice of strace itself stands before the first call.
            found.appeared = event.line + isinstance(event, Notice)
        self.last = found
        silent = self.births.silent
        if silent and found.tid is not None:
            silent.pop(found.tid, None)
        self._touched.threads[found] = None
        return found

    def _newcomer(self, event: Event) -> Thread:
        tid = event.pid
        if tid is None and self.threads:
            return self.staying.first() or next(iter(self.threads.values()))
        if self.roster is not None:
            known = self.roster.process_of(tid, guessing=not self.births.cloning and not self.births.silent)
            if known is not None:
                return self._join_known(known, tid, event.line)
        if tid is not None and self.births.silent and self.inner.exist:
            return self._rename(tid, event)
        if tid is not None and self.strangers.expects(tid):
            return self._join_crew(tid, event.line)
        parent = self.births.parent if tid is not None else None
        if parent is not None and parent.inside is not None:
            return self.clone(parent, tid, parent.inside)
        nameless = self.threads.get(None)
        if nameless is not None and tid is not None:
            return self._name(nameless, tid)
        if (led := self.inner.led_by(tid)) is not None:
            return self._join_known(led, tid, event.line)
        process = newborn(event, self.staying.few())
        return self._stranger(tid, event.line) if process is None else self._enter(process, tid)

    def _join_crew(self, tid: int, line: int) -> Thread:
        """Enter a thread of the process that strace was attached to with all its threads."""
        nameless, crew = self.threads.get(None), self.strangers.crew
        if crew is not None:
            return self._join_known(crew, tid, line)
        first = self._stranger(tid, line) if nameless is None else self._name(nameless, tid)
        first.process.pid = self.strangers.leader
        self.strangers.crew = first.process
        return first

    def _join_known(self, process: Process, tid: int | None, line: int) -> Thread:
        """Enter a thread of a process that is known to have it, such as one that the snapshot shows."""
        if not process.threads and process.exit is None:
            self.strangers.appear(process, line)
            self.strangers.tell_apart(process)
        self.strangers.enlist(tid, process)
        thread = self._enter(process, tid)
        if self.roster is not None:
            thread.blocked = self.roster.blocked(tid)
        return thread

    def _rename(self, tid: int, event: Event | None = None) -> Thread:
        """Give a child without a line so far the pid of the lines: its own is of a namespace.

        Where several came at the same time and nothing tells them apart, its number stays unknown.
        """
        thread, number, sure = self.births.take_silent(event)
        self.threads.pop(number, None)
        if thread.process.pid == number:
            thread.process.pid = tid
        thread.tid = tid
        self.threads[tid] = thread
        if sure:
            self.inner.tell(thread, number)
        elif thread.process.pid == tid:
            thread.process.guessed = True
        return thread

    def expect(self, tid: int, near: Thread) -> None:
        """Record strace's "Process N attached", which names the child before its first line."""
        parent = self.births.parent or near
        if tid in self.threads:
            self.births.silent.pop(tid, None)
        elif parent.inside is not None and parent.inside.name in FORKS:
            self.clone(parent, tid, parent.inside)
        elif self.births.silent:
            self._rename(tid)

    def clone(self, parent: Thread, tid: int | None, call: Syscall | Begun) -> Thread:
        """Create the child of a clone, or return it if its lines came first."""
        known = self.threads.get(tid)
        came, perhaps = (None, None) if isinstance(call, Begun) else self.births.returned(parent)
        if known is None and came is not None and tid is not None and came.inner in (None, tid):
            return self.births.number(came, parent, tid)
        if known is None and perhaps is not None and tid is not None and perhaps.inner is None and self.inner.exist:
            return self.births.guess(perhaps, parent, tid)
        if known is not None and (known.process.started is not None or known.process is parent.process):
            hand_over(known.process, parent.process, call)
            return known
        flags = clone_flags(call)
        if "CLONE_THREAD" in flags:
            child = self._enter(parent.process, tid)
            child.apart = parent.apart if "CLONE_FS" in flags else parent.place.copy()
        else:
            child = self._enter(forked(parent, tid, flags, call), tid)
        child.blocked = parent.blocked
        if parent.tid in self.strangers.unclosed:
            self.strangers.unclosed[tid] = self.strangers.unclosed[parent.tid]
        if isinstance(call, Begun):
            self.births.appeared(child, parent)
        elif tid is not None:
            self.births.await_line(child, tid, call)
        self.births.end(parent)
        return child

    def leave(self, thread: Thread, event: Exit) -> Process | None:
        """Remove a thread; return its process if this was its last thread."""
        process = thread.process
        process.threads.pop(thread, None)
        self.staying.discard(thread)
        self._touched.stand_in(thread)
        self.births.forget(thread)
        self.inner.forget(thread)
        # The kernel will reuse the number; a later line with it belongs to another thread.
        if self.threads.get(thread.tid) is thread and thread.tid is not None:
            del self.threads[thread.tid]
            self.last, self._ended = None, thread
        left = process.threads
        if event.pid is None:  # strace follows no other thread: this is the end of all
            left = {other: None for other in left if other.last_call or other.inside}
        if left or self.strangers.lives_on(process, event):
            return None
        process.exit = event
        self.strangers.leave(process)
        return process

    def forget_rounds(self) -> None:
        """Discard the open turns and closed numbers: lines were left out, so neither is known any more."""
        self._touched.forget_rounds(self.last)

    def supersede(self, thread: Thread, by: int) -> None:
        """Move the thread `by`, which called execve, to the pid of this one: execve(2)."""
        other = self.threads.pop(by, None)
        if other is not None and other is not thread:
            other.process.threads.pop(other, None)
            self.staying.discard(other)
            self._touched.stand_in(other)

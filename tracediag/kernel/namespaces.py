"""The numbers that threads have in a pid namespace of their own, where lines show other pids: pid_namespaces(7)."""

from __future__ import annotations

import msgspec

from tracediag.kernel.process import Process, Thread

_MOST = 1024


class InnerNumbers:
    """The live threads by the number that they and their parents know, where it differs from that of their lines."""

    def __init__(self) -> None:
        self.threads: dict[int, Thread] = {}
        self._made = False

    @property
    def exist(self) -> bool:
        """Whether the trace shows a pid namespace beside strace's own: a call made it, or a number differs."""
        return self._made or bool(self.threads)

    def make(self) -> None:
        """Note a call that makes or enters a pid namespace: CLONE_NEWPID."""
        self._made = True

    def tell(self, thread: Thread, number: int | None) -> None:
        """Record the number by which a thread, or its parent, knows it."""
        if number is None or number <= 0:
            return
        self._swap(thread, number)
        thread.process.guessed = False
        thread.inner = number
        if thread.process.pid == thread.tid:
            thread.process.inner = number
        if thread.tid not in (None, number) and len(self.threads) < _MOST:
            self.threads[number] = thread

    def led_by(self, tid: int | None) -> Process | None:
        """Return the process whose main thread a newcomer is: getpid(2) had returned its pid to another thread."""
        thread = None if tid is None else self.threads.get(tid)
        if thread is None or thread.tid is None or thread.process.started is not None:
            return None
        self.forget(thread)
        thread.inner = thread.process.inner = None
        thread.process.pid = tid
        return thread.process

    def _swap(self, thread: Thread, number: int) -> None:
        """Give the number by which a child was known to the one that was taken for it: both came at the same time."""
        process, parent = thread.process, thread.process.parent
        other = None if parent is None else parent.children.get(number)
        former = _place_of(process) if process.guessed else thread.inner
        if parent is None or former in (None, number) or other in (None, process) or former is None or other is None:
            return
        parent.children[number] = process
        if former in parent.children:
            parent.children[former] = other
        for place, known in enumerate(parent.reaped):
            if known.child is process and known.pid == former:
                parent.reaped[place] = msgspec.structs.replace(known, child=other)
        if other.guessed:
            return
        other.inner = former
        for one in other.threads:
            if one.inner == number:
                one.inner = former
                self.threads[former] = one

    def settle(self, parent: Process, child: Process, number: int, status: int | None, signal: str | None) -> Process:
        """Return which of the children that came at the same time a wait has reaped: the one that ended so.

        Its number is known if only one of them did.
        """
        rivals = [one for one in (child, *parent.children.values()) if one.guessed]
        alike = [
            one for one in rivals if one.exit is not None and (one.exit.status, one.exit.signal) == (status, signal)
        ]
        if not alike:
            return child
        found = alike[0]
        if found is not child and (former := _place_of(found)) is not None:
            parent.children[former] = child
        if len(alike) == 1:
            found.guessed, found.inner = False, number
        return found

    def forget(self, thread: Thread) -> None:
        """Forget a thread that has ended."""
        if thread.inner is not None and self.threads.get(thread.inner) is thread:
            del self.threads[thread.inner]


def _place_of(process: Process) -> int | None:
    """Return the number under which a process stands among the children of its parent."""
    children = {} if process.parent is None else process.parent.children
    return next((number for number, child in children.items() if child is process), None)

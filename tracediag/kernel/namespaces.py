"""The numbers that threads have in a pid namespace of their own, where lines show other pids: pid_namespaces(7)."""

from __future__ import annotations

import msgspec

from tracediag.kernel.process import Thread

_MOST = 1024


class InnerNumbers:
    """The live threads by the number that they and their parents know, where it differs from that of their lines."""

    def __init__(self) -> None:
        self.threads: dict[int, Thread] = {}

    def tell(self, thread: Thread, number: int | None) -> None:
        """Record the number by which a thread, or its parent, knows it."""
        if number is None or number <= 0:
            return
        self._swap(thread, number)
        thread.inner = number
        if thread.process.pid == thread.tid:
            thread.process.inner = number
        if thread.tid not in (None, number) and len(self.threads) < _MOST:
            self.threads[number] = thread

    def _swap(self, thread: Thread, number: int) -> None:
        """Give the number by which a child was known to the one that was taken for it: both came at the same time."""
        process, former, parent = thread.process, thread.inner, thread.process.parent
        other = None if parent is None else parent.children.get(number)
        if parent is None or former in (None, number) or other in (None, process) or former is None or other is None:
            return
        parent.children[number] = process
        if former in parent.children:
            parent.children[former] = other
        for place, known in enumerate(parent.reaped):
            if known.child is process and known.pid == former:
                parent.reaped[place] = msgspec.structs.replace(known, child=other)
        other.inner = former
        for one in other.threads:
            if one.inner == number:
                one.inner = former
                self.threads[former] = one

    def forget(self, thread: Thread) -> None:
        """Forget a thread that has ended."""
        if thread.inner is not None and self.threads.get(thread.inner) is thread:
            del self.threads[thread.inner]

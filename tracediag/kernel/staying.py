"""The threads that have not ended: lines without a pid belong to the only process left."""

from __future__ import annotations

from collections import OrderedDict

from tracediag.kernel.process import Process, Thread

_CROWD = 64
"""Threads among which the only process left is looked for."""


class Staying:
    """Threads in order of appearance, except those that lines without a pid have shown to be gone."""

    def __init__(self) -> None:
        self._threads: OrderedDict[Thread, None] = OrderedDict()

    def add(self, thread: Thread) -> None:
        """Add a thread at its first line."""
        self._threads[thread] = None

    def discard(self, thread: Thread) -> None:
        """Remove a thread that has ended."""
        self._threads.pop(thread, None)

    def few(self) -> list[Thread]:
        """Return the threads that have not ended; none of them if there are very many."""
        return [] if len(self._threads) > _CROWD else [thread for thread in self._threads if not _leaving(thread)]

    def alone(self) -> Process | None:
        """Return the only process that has not ended; None if there are several, or none."""
        alive = {thread.process for thread in self.few()}
        return alive.pop() if len(alive) == 1 else None

    def first(self) -> Thread | None:
        """Return the first thread left, to which lines without a pid belong (strace writing to a terminal)."""
        while self._threads:
            first = next(iter(self._threads))
            if not _leaving(first):
                return first
            del self._threads[first]
        return None


def _leaving(thread: Thread) -> bool:
    """Whether a thread has exited or is about to: with `-qq` strace does not report exits."""
    process, last = thread.process, thread.last_call
    return process.exit is not None or process.exit_status is not None or (last is not None and last.name == "exit")


def without_oldest_dead(processes: list[Process], most: int) -> list[Process]:
    """Return processes without those that are dead for longest, down to half of `most`; the first one stays."""
    first, *others = processes
    dead = sum(not process.threads for process in others)
    kept = [first]
    for process in others:
        if not process.threads and dead > most // 2:
            dead -= 1
        else:
            kept.append(process)
    return kept

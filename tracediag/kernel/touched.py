"""The threads with an event since lines were left out: what is stale once more are."""

from __future__ import annotations

from tracediag.kernel.process import Thread


class Touched:
    """Knows which threads may have turns of an event loop, and closed numbers, that an elision makes stale."""

    def __init__(self) -> None:
        self.threads: dict[Thread, None] = {}
        """In the order of their first event since then."""

    def stand_in(self, thread: Thread) -> None:
        """Let another thread represent one that exits: they share the table that an elision makes stale."""
        if self.threads.pop(thread, thread) is None and thread.process.threads:
            self.threads[next(iter(thread.process.threads))] = None

    def forget_rounds(self, last: Thread | None) -> None:
        """Discard the open turns and closed numbers: lines were left out, so neither is known any more.

        `last` is the thread of the last event before them.
        """
        for thread in self.threads:
            for turn in thread.rounds.values():
                for report in turn.reports:
                    if report.descriptor is not None:
                        report.descriptor.readiness = None
            thread.rounds.clear()
            thread.process.table.last_closed.clear()
        self.threads = {} if last is None else {last: None}

"""What this recording is and shows: rules ask here, and conclude nothing from what a recording cannot show.

A `Fact` is something that a recording holds or lacks for every line of it, such as times. Which calls it records at all
is another matter: a claim built on the absence of a call rests on it (`records`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from enum import StrEnum

from tracediag.evidence.steps import last_line
from tracediag.kernel import Kernel
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Registration
from tracediag.kernel.process import Process

EXCERPT = 20
"""Lines up to which a trace without beginning and end is an excerpt: they were chosen because they matter."""
_STANDARD_STREAMS = 3


class Fact(StrEnum):
    """What a recording may hold; the value is its name in the report."""

    TIMES = "times"
    DURATIONS = "durations"
    PIDS = "pids"
    DESCRIPTORS = "descriptors"
    SOCKETS = "sockets"
    START = "start"
    """The program's start: its descriptors, registrations and handlers were made under the eyes of strace."""


LACKING: dict[str, str] = {
    Fact.TIMES: "when each call was made (strace -ttt)",
    Fact.DURATIONS: "the time spent in each call (strace -T)",
    Fact.PIDS: "which thread makes each call (strace -f)",
    Fact.DESCRIPTORS: "what each descriptor refers to (strace -y)",
    Fact.SOCKETS: "the addresses of sockets (strace -yy)",
    Fact.START: "the start of the program (run it under strace instead of attaching)",
}
"""What is missing where a fact is not there, and how to record it."""


class Scope:
    """One trace, as far as it has been read: what it is an excerpt of, what it shows, what it leaves out."""

    def __init__(self, kernel: Kernel, held: Callable[[], Collection[str]] = tuple) -> None:
        """Ask `held` for the facts that the form of the lines shows: it is known only once lines have been read."""
        self._kernel = kernel
        self._held = held
        self._ended = False

    def end(self) -> None:
        """Take note that the trace is over: only now it is known how long it is."""
        self._ended = True

    def shows(self, fact: str) -> bool:
        """Whether the recording holds a fact."""
        return self.starts if fact == Fact.START else fact in self._held()

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All that it holds."""
        return tuple(fact for fact in Fact if self.shows(fact))

    def lacks(self, facts: Iterable[str]) -> str | None:
        """Say which of these facts is missing, with how to record it; None where all are there."""
        return next((LACKING[fact] for fact in facts if not self.shows(fact)), None)

    @property
    def starts(self) -> bool:
        """Whether it shows the start of a program: execve of one that was there before is no such start."""
        return any(process.execs for process in self._kernel.processes[:1])

    @property
    def is_excerpt(self) -> bool:
        """Whether this is a few lines out of a longer trace: then one turn of a loop may stand for many."""
        return not self._kernel.shows_start_or_end and last_line(self._kernel) <= EXCERPT

    @property
    def elided(self) -> int:
        """The last line after which lines were left out by hand (`...`); 0 for none."""
        return self._kernel.elided

    @property
    def failures_only(self) -> bool:
        """Whether no call so far has succeeded: `strace -Z` records failures only."""
        return bool(self._kernel.names) and not self._kernel.succeeded

    def records(self, calls: Iterable[str]) -> bool:
        """Whether the trace may show calls of these names: it holds one, or it is an excerpt that proves nothing.

        Ask at the end of the trace: before that, the first lines of any trace look like an excerpt.
        """
        return not self._kernel.names.isdisjoint(calls) or (self._ended and self.is_excerpt)

    def lacks_birth(self, descriptor: Descriptor, entry: Registration | None) -> bool:
        """Whether the recording has left out the call that made a descriptor: others may be missing as well.

        So it is where the trace shows the program's start, or the call that put the descriptor into a set, which
        mostly follows directly: a filter such as `-e trace=desc` left the maker out.
        """
        if descriptor.opened is not None or descriptor.number < _STANDARD_STREAMS:
            return False
        if entry is not None and entry.added is not None:
            return True
        return descriptor.table.executed

    def may_share(self, process: Process) -> bool:
        """Whether another process whose start is not in the trace may be a thread of this one."""
        return process.started is None and self._kernel.process_table.strangers > 1

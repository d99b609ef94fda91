"""What a recording is and shows: rules ask here, and conclude nothing that the recording cannot show.

A `Fact` is a property of every line of a recording, such as times. Which calls it records is another matter: a claim
that a call is absent rests on its being recorded (`records`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from enum import StrEnum
from functools import cached_property

from tracediag.evidence.blame import Blame
from tracediag.evidence.call_table import CallTable
from tracediag.evidence.filters import may_only_spin, would_show
from tracediag.evidence.steps import last_line
from tracediag.evidence.subject import find_subject
from tracediag.evidence.verdicts import Verdicts
from tracediag.kernel import Kernel
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Registration
from tracediag.kernel.process import Process
from tracediag.results.findings import Finding, Severity
from tracediag.trace.calls import CLOSES, EXITS

_TOO_FEW = 20
"""Lines of an excerpt up to which it may lack a call without a filter that leaves it out."""
_STANDARD_STREAMS = 3
_EXPLAINED = 10_000
_KINDS = 3
"""Kinds of failures without a success between them that show that successes were left out."""


class Fact(StrEnum):
    """A property that a recording may have; the value is its name in the report."""

    TIMES = "times"
    DURATIONS = "durations"
    PIDS = "pids"
    DESCRIPTORS = "descriptors"
    SOCKETS = "sockets"
    EVERY_CALL = "every call"
    """No filter: it holds calls that are in no class of `strace -e trace=`."""
    START = "start"
    """The program's start: its descriptors, registrations and handlers were all created within the trace."""


LACKING: dict[str, str] = {
    Fact.TIMES: "when each call was made (strace -ttt)",
    Fact.DURATIONS: "the time spent in each call (strace -T)",
    Fact.PIDS: "which thread makes each call (strace -f)",
    Fact.DESCRIPTORS: "what each descriptor refers to (strace -y)",
    Fact.SOCKETS: "the addresses of sockets (strace -yy)",
    Fact.EVERY_CALL: "calls of every kind (strace without -e)",
    Fact.START: "the start of the program (run it under strace, or attach with tracediag run -p PID)",
}
"""What is missing if the recording lacks a fact, and how to record it."""


class Scope:
    """One trace, as far as it has been read: whether it is an excerpt, what it shows, what it lacks."""

    def __init__(self, kernel: Kernel, held: Callable[[], Collection[str]] = tuple) -> None:
        """Set `held`, which returns the facts that the form of the lines shows, known only once lines are read."""
        self._kernel = kernel
        self._held = held
        self._ended = False
        self.verdicts = Verdicts(kernel.sent)
        """On the processes that have ended."""
        self.table = CallTable()
        """The counts of `strace -c`, where the recording holds such a table."""
        self.alarmed = False
        """Whether there is an error or a warning so far."""
        self.explained: set[int] = set()
        """The lines that findings have as steps so far; of a trace with very many findings only the first."""

    @property
    def is_table(self) -> bool:
        """Whether the recording is a table of `strace -c` and shows no call."""
        return bool(self.table) and not self._kernel.names

    @cached_property
    def subject(self) -> Blame | None:
        """The failed call that an excerpt is about; ask after the end of the trace."""
        return find_subject(self._kernel) if self.is_excerpt else None

    def explain(self, finding: Finding) -> None:
        """Note the lines that a finding has as steps, and whether it is an error or a warning."""
        self.alarmed = self.alarmed or finding.severity is not Severity.NOTE
        if len(self.explained) < _EXPLAINED:
            self.explained.update(step.line for step in finding.steps)

    def end(self) -> None:
        """Note that the trace has ended: only now is its length known."""
        self._ended = True

    def shows(self, fact: str) -> bool:
        """Whether the recording holds a fact."""
        if fact == Fact.START:
            roster = self._kernel.process_table.roster
            return self.starts or (roster is not None and roster.complete)
        return fact in self._held()

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All facts that it holds."""
        return tuple(fact for fact in Fact if self.shows(fact))

    def lacks(self, facts: Iterable[str]) -> str | None:
        """Return which of these facts is missing, with how to record it; None if it holds all."""
        return next((LACKING[fact] for fact in facts if not self.shows(fact)), None)

    @property
    def starts(self) -> bool:
        """Whether it shows the start of a program: an execve by a process that existed before does not count."""
        return any(process.execs for process in self._kernel.processes[:1])

    @property
    def is_excerpt(self) -> bool:
        """Whether it is cut from a longer trace: it shows neither a start nor the end of all, or lines were left out.

        No number of lines makes an excerpt complete. How many turns of a loop prove something there depends on their
        share of the lines: `Bounds.enough`.
        """
        kernel = self._kernel
        return kernel.elided > 0 or not (kernel.shows_start or kernel.process_table.all_gone)

    @property
    def excerpt(self) -> int:
        """How many lines the excerpt has so far; 0 if it is none."""
        return last_line(self._kernel) if self.is_excerpt else 0

    @property
    def elided(self) -> int:
        """The last line after which lines were left out by hand (`...`); 0 if none."""
        return self._kernel.elided

    @property
    def failures_only(self) -> bool:
        """Whether no call so far has succeeded: `strace -Z` records failures only."""
        return bool(self._kernel.names) and not self._kernel.succeeded

    @property
    def hides_successes(self) -> bool:
        """Whether several kinds of calls failed and none succeeded: the recording is one of failures (`strace -Z`).

        Two kinds are enough where a process exits without the call that ends it, which has no result.
        """
        kinds = len(self._kernel.names)
        return self.failures_only and (kinds >= _KINDS or (kinds == _KINDS - 1 and self._hides_exits))

    @property
    def _hides_exits(self) -> bool:
        """Whether a process has exited with a status, and the trace shows no call that ends it."""
        exits = (process.exit for process in self._kernel.processes)
        return self._kernel.names.isdisjoint(EXITS) and any(end is not None and end.signal is None for end in exits)

    @property
    def hides_failures(self) -> bool:
        """Whether a program started and no call failed: the loader alone has failures in a whole recording."""
        return self.starts and not self._kernel.failed and not self.is_excerpt

    @property
    def successes_only(self) -> bool:
        """Whether failures were left out (`strace -z`), and are not merely none.

        A static program, as of Go, has no loader, whose calls fail; it maps memory, and never protects it (mprotect) as
        the loader does what it has relocated.
        """
        static = "mmap" in self._kernel.names and "mprotect" not in self._kernel.names
        return self.hides_failures and not static

    def records(self, calls: Collection[str]) -> bool:
        """Whether a call of these names would show if it were made and succeeded.

        Such calls show, no filter is at work, or none can be proved: the trace is too short, or the program makes
        hardly any other call. Ask at the end of the trace: the first lines of any trace look like an excerpt.
        """
        if self.hides_successes:
            return False
        if self.is_table:
            return True  # it counts every call
        names, sockets = self._kernel.names, self._kernel.endpoints.noted
        if self.shows(Fact.EVERY_CALL) or would_show(calls, names, sockets=sockets):
            return True
        return self._ended and (0 < self.excerpt <= _TOO_FEW or may_only_spin(calls, names))

    def misses_closes(self, pid: int | None, since: int) -> bool:
        """Whether a process was given a number after a line that it still held: the recording lacks closes of it.

        Then nothing proves that what it holds is open. The kernel gives out the lowest free number: open(2).
        """
        return self._kernel.process_table.strangers.unclosed.get(pid, 0) > since

    def lacks_birth(self, descriptor: Descriptor, entry: Registration | None) -> bool:
        """Whether the recording lacks the call that created a descriptor: others may be missing as well.

        That is so if the trace shows the program's start, or the call that added the descriptor to a set, which usually
        follows its creation directly: a filter such as `-e trace=desc` left the creating call out.
        """
        if descriptor.file.arrived or descriptor.opened is not None or descriptor.number < _STANDARD_STREAMS:
            return False
        if entry is not None and entry.added is not None:
            return True
        return descriptor.table.executed

    def may_hold_copies(self, process: Process) -> bool:
        """Whether a process may hold copies of another's descriptors that the trace does not show being made.

        The first process had no other to copy from. Any later one was forked, seen or unseen, or it is a thread.
        """
        return process is not self._kernel.processes[0]

    def may_share(self, process: Process, since: int = 0) -> bool:
        """Whether another process, whose start was not traced, may be a thread of this one.

        Args:
            process: the process.
            since: the first line that a claim rests on: what was not known to be one process then counts.
        """
        closes = self.shows(Fact.EVERY_CALL) or would_show(CLOSES, self._kernel.names)
        return self._kernel.process_table.strangers.may_share(process, since, closes=closes)

    def may_share_with(self, pid: int | None, since: int) -> bool:
        """Whether the same may be true of the process that a pid belongs or belonged to."""
        process = self._kernel.process_table.strangers.of(pid)
        return process is not None and self.may_share(process, since)

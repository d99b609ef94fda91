"""By process: its threads' calls count for it, and its command line is shown. Calls are counted as in `calls`.

The kernel model only receives calls that create and end processes; a new pid is passed to it with its first call, so
that both see the same processes appear in the same order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import PurePath

from tracediag.kernel import Kernel, apply
from tracediag.kernel.process import Process
from tracediag.overviews.counting.view import Groups, Progress, View, outcome_of
from tracediag.overviews.programs import program_of
from tracediag.overviews.sources import kernel_of
from tracediag.reading import Reader
from tracediag.reading.counter import CallCounter
from tracediag.results.tree import Program
from tracediag.trace.calls import EXECS, EXITS, FORKS
from tracediag.trace.events import Call, Event, Syscall
from tracediag.trace.numbers import identifier
from tracediag.trace.records import Exit, Notice, Signal, Superseded
from tracediag.trace.shell import joined

_LIFE = FORKS | EXITS
"""The calls by which processes are created and exit; their other effects do not matter."""

Key = tuple[str, Process]
"""A process and its trace."""


class ProcessView(View):
    """One row per process; its parts are the errors of its calls."""

    by = "process"

    def __init__(self) -> None:
        super().__init__()
        self.programs: dict[Process, Program] = {}
        """The last program of each process."""

    def take(self, trace: str, progress: Progress | None) -> Reader:
        """Count the calls of a trace; return the reader, which is at its end."""
        kernel = kernel_of(trace)
        groups = _ProcessGroups(kernel, lambda: self._empty(trace, groups))
        counter = CallCounter(trace, groups, by_pid=True, apart=_LIFE | EXECS, progress=progress)
        for event in counter:
            thread = kernel.process_table.thread(event)
            if event.name in _LIFE if isinstance(event, Call) else not isinstance(event, Signal):
                apply(kernel, event)
                groups.heed(event)
            if isinstance(event, Syscall):
                self._add(trace, thread.process, event)
                if event.name in FORKS and event.result in kernel.process_table.threads:
                    self._inherit(thread.process, kernel.process_table.threads[event.result].process)
        self._empty(trace, groups)
        return counter

    def _add(self, trace: str, process: Process, call: Syscall) -> None:
        account = self.accounts[trace, process]
        if not call.returned:
            account.lose(None)
            return
        error, took = outcome_of(call)
        account.add(error, took, error)
        if (program := program_of(call)) is not None:
            self.programs[process] = program

    def _inherit(self, parent: Process, child: Process) -> None:
        """Let a child run its parent's program, unless it has called execve already."""
        if parent in self.programs:
            self.programs.setdefault(child, self.programs[parent])

    def _empty(self, trace: str, groups: _ProcessGroups) -> None:
        """Add the counts to the accounts."""
        for process, ends in groups.processes.items():
            if ends:  # empty if a call has begun under this pid and was not counted yet
                self.accounts[trace, process].add_ends(ends)
        groups.processes.clear()
        groups.clear()

    def absorb(self, other: View) -> None:
        """Add all that another view of this kind has counted."""
        super().absorb(other)
        if isinstance(other, ProcessView):
            self.programs |= other.programs

    def named(self, key: Key) -> tuple[str, str]:
        """Return the pid, after the name of the trace if there are several, and the command line."""
        trace, process = key
        pid = "" if process.pid is None else str(process.pid)
        where = PurePath(trace).name if len(self.sources) > 1 else ""
        name = ":".join(part for part in (where, pid) if part) or "(no pid)"
        program = self.programs.get(process)
        return name, "" if program is None else joined(program.command) + (" …" if program.shortened else "")


class _ProcessGroups(Groups):
    """Counts the calls of a pid for its process."""

    def __init__(self, kernel: Kernel, empty: Callable[[], None]) -> None:
        super().__init__(empty)
        self.processes: defaultdict[Process, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._kernel = kernel

    def heed(self, event: Event) -> None:
        """Forget the processes of pids that may be reused after this event, and of lines without a pid."""
        match event:
            case Syscall(result=int(changed)) | Exit(pid=int(changed)):
                self.pop(str(changed), None)
                self.pop("", None)
            case Superseded() | Notice() | Exit():
                self.clear()

    def make(self, key: str) -> dict[str, int]:
        """Return the counts of the process that has this pid now."""
        self.pop("", None)
        return self.processes[self._kernel.process_table.thread(Event(line=0, pid=identifier(key))).process]

    def size(self) -> int:
        """Return the number of distinct results counted."""
        return sum(map(len, self.processes.values()))

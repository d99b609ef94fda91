"""The threads that live and the processes that the trace has shown, by the numbers that strace prints."""

from __future__ import annotations

from tracediag.kernel.file_systems import FileSystems
from tracediag.kernel.namespaces import InnerNumbers
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.roster import Roster
from tracediag.kernel.signals import SignalTable
from tracediag.kernel.staying import Staying, without_oldest_dead
from tracediag.kernel.strangers import Strangers
from tracediag.kernel.table import DescriptorTable

_MOST = 1024
"""Number of processes from which the longest dead are dropped: a build starts thousands."""


class Living:
    """The threads and processes of a trace; `ProcessTable` says which of them an event is of."""

    def __init__(self) -> None:
        self.threads: dict[int | None, Thread] = {}
        """The threads that live, by the pid that strace prints; None while it prints none."""
        self.processes: list[Process] = []
        """The processes in the order in which they appeared, the oldest of very many dead ones left out."""
        self.dropped = 0
        """Dead processes that are no longer among `processes`."""
        self.made = 0
        """How many processes the trace has shown, those dropped among them."""
        self.threads_made = 0
        """How many threads it has shown."""
        self.file_systems: FileSystems | None = None
        """The mounts, where a snapshot of /proc shows them."""
        self.roster: Roster | None = None
        """The processes that ran before the trace, where a snapshot of /proc shows them."""
        self.strangers = Strangers()
        self.staying = Staying()
        self.inner = InnerNumbers()

    def find(self, number: int | None) -> Thread | None:
        """Return the live thread that a program means by a number, as an argument of kill(2) or as si_pid."""
        return None if number is None else self.inner.threads.get(number) or self.threads.get(number)

    @property
    def all_gone(self) -> bool:
        """Whether every process has exited."""
        return all(not thread.process.threads for thread in self.threads.values())

    def drop_oldest_dead(self) -> None:
        """Drop the longest dead of very many processes; keep the first one, which strace was started on."""
        if len(self.processes) > max(_MOST, 2 * len(self.threads)):
            kept = without_oldest_dead(self.processes, _MOST)
            self.dropped += len(self.processes) - len(kept)
            self.processes[:] = kept

    def absorb(self, process: Process, into: Process, line: int) -> None:
        """Forget a process whose threads turn out at a line to be another one's."""
        self.strangers.absorb(process, into, line)
        self.processes.remove(process)
        self.made -= 1

    def _name(self, nameless: Thread, tid: int) -> Thread:
        """Give the process that had no pid so far the pid that it turns out to have."""
        del self.threads[None]
        nameless.tid = tid
        nameless.process.pid = tid
        self.threads[tid] = nameless
        self.strangers.enlist(tid, nameless.process)
        return nameless

    def _stranger(self, tid: int | None, line: int) -> Thread:
        process = Process(tid, DescriptorTable(), SignalTable())
        process.table.users[process] = None
        self.strangers.appear(process, line)
        return self._enter(process, tid)

    def _enter(self, process: Process, tid: int | None) -> Thread:
        thread = Thread(tid, process)
        process.threads[thread] = None
        self.threads_made += 1
        if len(process.threads) == 1 and process not in self.processes[-1:]:
            self.made += 1
            process.file_systems = self.file_systems
            self.processes.append(process)
        self.threads[tid] = thread
        self.staying.add(thread)
        return thread

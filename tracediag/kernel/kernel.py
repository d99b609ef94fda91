"""The reconstructed kernel: the only mutable state in tracediag.

This is the state; `tracediag.kernel.applying` changes it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, KeysView
from typing import Any

from tracediag.kernel.address_space import Cut
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.endpoints import Endpoints
from tracediag.kernel.file_systems import FileSystems
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.process_table import ProcessTable
from tracediag.kernel.rights import Rights
from tracediag.kernel.roster import Roster
from tracediag.snapshot import Snapshot
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.records import Exit, Remark

_RECENT = 64
"""Processes, the latest ones, whose end a shell may report."""


class Kernel:
    """Processes, descriptors, sockets, epoll sets, pipes and signals, as far as the trace has shown them."""

    def __init__(self, lines: Callable[[], int] = int, known: Snapshot | None = None) -> None:
        """Set up the state.

        Args:
            lines: returns how many lines have been read: not every line is an event.
            known: what /proc showed of the processes: the state before the first event.
        """
        self._lines = lines
        self.unfinished: Callable[[], Iterable[Begun]] = tuple
        """Returns the calls that have begun and not returned, also those that are no events; set by the analysis."""
        self.enough: Callable[[Collection[str]], None] = _ignore
        """Is told of calls that need not be events any more; set by the analysis."""
        self.looks = 0
        """How many calls that look at a file are recorded."""
        self.known = known
        self.file_systems = FileSystems(known)
        self.process_table = ProcessTable()
        self.process_table.file_systems = self.file_systems
        self.last_event: Event | None = None
        self._latest: tuple[Event, float | None] | None = None
        """The time that `last_time` found for an event: at the end each of many threads is judged by it."""
        self.dated: float | None = None
        """The time of the last end of a thread."""
        self.sent: deque[tuple[Process, Syscall]] = deque(maxlen=64)
        """The last signals that traced processes sent to a pid, with the sender: kill(2)."""
        self.endpoints = Endpoints()
        """The ends of connections and pipes whose other end is not known yet."""
        if known is not None and known.before is not None:
            self.process_table.roster = Roster(known.before, self.endpoints)
        self.rights = Rights()
        """The descriptors in transit between processes."""
        self.cuts: deque[Cut] = deque(maxlen=256)
        """The last changes of a file's length, by any process."""
        self.elided = 0
        """The last line after which lines were left out by hand; 0 for none."""
        self.shows_start = False
        """Whether the trace shows a process execute a program."""
        self.succeeded = False
        """Whether the trace shows any call that succeeded: `strace -Z` records failures only."""
        self.failed = False
        """Whether it shows any call that failed: `strace -z` records successes only."""
        self.handlers: dict[str, Callable[[Any, Any], None] | None] = {}
        """The handler of each call met so far; None for calls that change nothing here."""
        self.left_out: frozenset[str] = frozenset()
        """The calls whose effect is not followed, for an overview that asks nothing of it; set before the events."""
        self.told: Remark | None = None
        """The last line read, where a shell reports in it that a signal ended the program."""
        self.deferred: Callable[[], None] | None = None
        """Clean-up to run before the next event, so that rules still see what just ended."""

    @property
    def names(self) -> KeysView[str]:
        """The names of the calls in the trace that the reader was asked for."""
        return self.handlers.keys()

    def hear(self, remark: Remark) -> None:
        """Remember that a shell reports a death, until a record shows that the trace continues."""
        self.told, self.deferred = remark, self._disbelieve

    def _disbelieve(self) -> None:
        # A call that never returns is told last, with the line of its start.
        if self.last_event is not None and self.told is not None and self.last_event.line > self.told.line:
            self.told = None

    def told_end(self) -> Exit | None:
        """Return the end of the only process left, where a shell reports it after the last record."""
        remark, process = self.told, self.process_table.staying.alone()
        if remark is None or process is None or process.end is not None:
            return None
        ends = (known.exit for known in self.processes[-_RECENT:])
        if any(end is not None and end.signal == remark.signal for end in ends):
            return None  # the shell reports the end that a record already shows
        last = max((thread for thread in process.threads), key=_last_line, default=None)
        if last is None or last.last_call is None or (last.last_call.cut and not last.last_call.returned):
            return None
        return Exit(
            line=remark.line,
            pid=last.tid,
            text=remark.text,
            signal=remark.signal,
            core_dumped=remark.core_dumped,
            told=True,
        )

    @property
    def processes(self) -> list[Process]:
        """The processes in the trace, exited ones included, in order of appearance."""
        return self.process_table.processes

    @property
    def last_line(self) -> int:
        """The greatest line read so far: a call that never returns is told last, with the line of its start."""
        event = self.last_event
        if isinstance(event, Syscall):
            return max(event.line, event.end_line, self._lines())
        return max(0 if event is None else event.line, self._lines())

    @property
    def last_time(self) -> float | None:
        """The time of the last event; of those told last, or without a time, the greatest that any thread shows.

        The lines of a stack (`strace -k`) have none.
        """
        event = self.last_event
        if isinstance(event, Syscall):
            if event.returned:
                return event.time if event.end_time is None else event.end_time
        elif event is None or event.time is not None:
            return None if event is None else event.time
        if self._latest is None or self._latest[0] is not event:
            self._latest = (event, self._greatest_time())
        return self._latest[1]

    def _greatest_time(self) -> float | None:
        calls = [thread.last_call for thread in self.process_table.threads.values()]
        if isinstance(self.last_event, Syscall):
            calls.append(self.last_event)
        times = [time for call in calls if call is not None for time in (call.time, call.end_time)]
        return max((time for time in (self.dated, *times) if time is not None), default=None)

    def closed(self, file: OpenFile) -> Event | None:
        """Return what released a description for good; None if a child that strace does not follow may hold it."""
        held = bool(file.strays) or any(not holder.table.seen for holder in file.holders)
        return None if held else file.closed


def _last_line(thread: Thread) -> int:
    """Return the line of the last call of a thread."""
    return 0 if thread.last_call is None else thread.last_call.line


def _ignore(_names: Collection[str]) -> None:
    """Read on as before."""

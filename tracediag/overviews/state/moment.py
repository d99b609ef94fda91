"""What was open, registered, locked, mapped, alive and blocked as of one line of a trace."""

from __future__ import annotations

from tracediag.errors import TracediagError
from tracediag.evidence.exits import manner
from tracediag.kernel import Action, Kernel, apply
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process, Thread
from tracediag.overviews.counting.view import Progress
from tracediag.overviews.descriptors import line_of, open_descriptor, what_of
from tracediag.overviews.places import learn_directory
from tracediag.overviews.programs import arguments_of, program_of
from tracediag.overviews.sources import kernel_of
from tracediag.overviews.state.locks import Locks
from tracediag.overviews.state.mapped import Mapped, memory
from tracediag.overviews.state.waiting import awaited, epoll_state
from tracediag.reading import AnySource, Reader
from tracediag.results.state import (
    Child,
    FileLock,
    ProcessState,
    Standing,
    State,
)
from tracediag.snapshot import Snapshot
from tracediag.trace.calls import EXITS
from tracediag.trace.events import Event, Exit, Signal, Stop, Syscall
from tracediag.trace.quantities import plural
from tracediag.trace.values import text_of

_STANDARD = (0, 1, 2)


class NoSuchLineError(TracediagError, LookupError):
    """The trace has no such line; the message is one clear sentence."""


def take_state(
    trace: AnySource, line: int | None = None, progress: Progress | None = None, known: Snapshot | None = None
) -> State:
    """Return the state of the traced processes after a line.

    Without a line it is the state at the end of the trace or, if all processes have ended, before the last one did.
    The trace is read up to that line and no further. A call counts once its record is complete: between the two
    halves of a call the thread is inside it. `known` is what /proc showed of the processes; by default the snapshot
    beside the trace, if there is one.

    Raises:
        UnreadableError: if the trace cannot be read.
        NoSuchLineError: if it has fewer lines.
    """
    watcher, reader = _Watcher(kernel_of(trace, known)), Reader(trace, progress=progress)
    last: State | None = None
    for event in reader:
        if line is None and isinstance(event, Exit) and watcher.is_last():
            last = watcher.state(reader, event.line - 1)
        if line is not None and line_of(event) > line and not _told_late(event, line):
            break
        watcher.take(event)
    else:
        lines = reader.counts.lines
        if line is not None and line > lines:
            raise NoSuchLineError(f"{reader.name} has {plural(lines, 'line')}: there is no line {line:,}")
        if line is None and last is not None and not watcher.alive():
            return last
        line = lines if line is None else line
    return watcher.state(reader, line or 0)


def _told_late(event: Event, line: int) -> bool:
    """Whether an event is a call that never returns and began before: the reader delivers it at the end."""
    return isinstance(event, Syscall) and not event.returned and event.line <= line


class _Watcher:
    """The model, with what only this overview needs of it."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._locks = Locks()
        self._mapped = Mapped(self.kernel)
        self._start: float | None = None
        self._living: list[Process] = []
        self._shown = 0
        self._stops: dict[Thread, Stop] = {}

    def take(self, event: Event) -> None:
        if self._start is None:
            self._start = event.time
        action = apply(self.kernel, event)
        if isinstance(event, Syscall):
            learn_directory(action.thread, event)
        self._stop(event, action)
        self._locks.take(action)
        self._mapped.take(action)

    def _stop(self, event: Event, action: Action) -> None:
        """Keep which threads are stopped: SIGCONT continues all of a process, and a thread that acts is continued."""
        if isinstance(event, Stop):
            self._stops[action.thread] = event
        elif self._stops:
            continued = isinstance(event, Signal) and event.name == "SIGCONT"
            for thread in action.process.threads if continued else (action.thread,):
                stop = self._stops.get(thread)
                if stop is not None and event.line > stop.line:
                    del self._stops[thread]

    def alive(self) -> list[Process]:
        """Return the processes that have not ended."""
        return [process for process in self.kernel.processes if _is_alive(process)]

    def is_last(self) -> bool:
        """Whether one process is alive; each process is looked at a few times, however often this is asked."""
        table, living = self.kernel.process_table, self._living
        fresh = table.dropped + len(table.processes) - self._shown
        living += table.processes[max(len(table.processes) - fresh, 0) :] if fresh > 0 else ()
        self._shown += fresh
        for place in (-1, -2):
            while len(living) >= -place and not _is_alive(living[place]):
                del living[place]
        return len(living) == 1

    def state(self, reader: Reader, line: int) -> State:
        """Return the state after the last event."""
        alive = self.alive()
        return State(
            path=reader.name,
            line=line,
            damage=reader.damage,
            time=self.kernel.last_time,
            start=self._start,
            processes=tuple(self._process(process) for process in alive),
            ended=len(self.kernel.processes) + self.kernel.process_table.dropped - len(alive),
        )

    def _process(self, process: Process) -> ProcessState:
        started, executed = process.started, process.executed
        program = None if executed is None else program_of(executed)
        descriptors = sorted(process.table, key=_number)
        parent, place = process.parent, process.place
        seen = {descriptor.number for descriptor in descriptors} | set(process.table.last_closed)
        return ProcessState(
            pid=process.pid,
            parent=None if parent is None else parent.pid,
            program=process.program,
            command=arguments_of(self.kernel, process.pid) if program is None else program.command,
            line=None if started is None else line_of(started),
            executed=None if executed is None else line_of(executed),
            directory=place.cwd or _moved_to(place.moved, process),
            directory_line=place.since,
            followed=any(thread.last_call or thread.inside for thread in process.threads),
            threads=tuple(_standing(thread, self._stops.get(thread)) for thread in process.threads),
            descriptors=tuple(open_descriptor(descriptor, process) for descriptor in descriptors),
            unseen=tuple(number for number in _STANDARD if number not in seen),
            epolls=tuple(
                epoll_state(descriptor, process) for descriptor in descriptors if descriptor.file.epoll is not None
            ),
            locks=tuple(self._lock_values(process)),
            memory=memory(self._mapped.of(process), process),
            children=tuple(_child(child) for child in process.children.values()),
        )

    def _lock_values(self, process: Process) -> list[FileLock]:
        return [
            FileLock(
                kind=held.kind,
                exclusive=held.exclusive,
                number=held.descriptor.number,
                what=what_of(held.descriptor.file, process),
                range=held.shown,
                line=line_of(held.call),
            )
            for held in self._locks.of(process)
        ]


def _is_alive(process: Process) -> bool:
    return process.exit is None and bool(process.threads)


def _number(descriptor: Descriptor) -> int:
    return descriptor.number


def _moved_to(call: Syscall | None, process: Process) -> str | None:
    """Return where a chdir led, as the call says it: the directory before it is not known."""
    if call is None:
        return None
    if call.name == "fchdir":
        held = process.table.get(call.number(0) or 0)
        return None if held is None else what_of(held.file, process)
    path = text_of(call.arg(0))
    return None if path is None else str(path)


def _standing(thread: Thread, stop: Stop | None) -> Standing:
    call = thread.pending
    last = call or thread.last_call
    return Standing(
        tid=thread.tid,
        blocked=call is not None and call.name not in EXITS,
        ending=last is not None and last.name in EXITS,
        call=None if last is None else last.text,
        line=None if last is None else last.line,
        since=None if last is None else last.time,
        waits_for=() if call is None else tuple(awaited(call, thread.process)),
        stopped=None if stop is None else stop.signal,
        stopped_line=None if stop is None else stop.line,
    )


def _child(child: Process) -> Child:
    end = child.exit
    return Child(
        pid=child.pid,
        program=child.program,
        line=None if child.started is None else line_of(child.started),
        ended=None if end is None else manner(end),
        ended_line=None if end is None else end.line,
    )

"""The process tree: parents and children, the programs they ran, how they ended and what killed them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from tracediag.kernel import Kernel, apply
from tracediag.kernel import process as kernel
from tracediag.kernel.process import Process
from tracediag.overviews.killing import Killings
from tracediag.overviews.programs import program_of
from tracediag.overviews.view import Progress
from tracediag.reading import Reader
from tracediag.results.tables import Node, Program, Source, Thread, Tree
from tracediag.trace.calls import CHILD_WAITS, EXECS, EXITS, FORKS, SIGNAL_SENDS
from tracediag.trace.events import Call, Event, Exit, Notice, Signal, Superseded, Syscall

_SHAPING = FORKS | EXECS | SIGNAL_SENDS | EXITS | CHILD_WAITS
"""The calls that affect the tree."""


class _Strand(msgspec.Struct, eq=False):
    """The state of a thread while the trace is read."""

    tid: int | None
    started: float | None
    ended: float | None = None
    calls: int = 0


class _Life(msgspec.Struct, eq=False):
    """The state of a process while the trace is read."""

    process: Process
    first_line: int
    first_time: float | None
    programs: list[Program] = msgspec.field(default_factory=list)
    signals: Counter[str] = msgspec.field(default_factory=Counter)
    strands: dict[kernel.Thread, _Strand] = msgspec.field(default_factory=dict)
    """Its threads; the first is its initial thread."""
    left: float | None = None
    """When it called exit_group."""
    end: Exit | None = None
    """The exit of its first thread, or if that is not shown of its last one."""
    told: bool = False
    """Whether `end` is the first thread's."""
    reaped: tuple[int | None, str | None] | None = None
    """Status and signal as its parent learned them."""


class _Descent:
    """Builds the tree of one trace."""

    def __init__(self) -> None:
        self._kernel = Kernel()
        self._lives: dict[Process, _Life] = {}
        self._killings = Killings()
        self.start: float | None = None

    def take(self, event: Event) -> None:
        """Process one event; calls that do not affect the tree are only counted."""
        if self.start is None:
            self.start = event.time
        people = self._kernel.process_table
        thread = people.thread(event)
        if event.pid is not None or isinstance(event, Call | Exit | Signal):
            strand = self._strand(thread, event)
            if isinstance(event, Syscall):
                strand.calls += 1
        if isinstance(event, Call) and event.name not in _SHAPING:
            return
        process = thread.process
        apply(self._kernel, event)
        match event:
            case Syscall():
                self._call(process, event)
            case Signal():
                self._lives[process].signals[event.name] += 1
                self._killings.arrive(process, event)
            case Exit():
                self._exit(thread, event)
            case Superseded() | Notice():
                pass

    def _strand(self, thread: kernel.Thread, event: Event) -> _Strand:
        life = self._life(thread.process, event)
        found = life.strands.get(thread)
        if found is None:
            found = life.strands[thread] = _Strand(thread.tid, event.time)
        found.tid = thread.tid  # a process on a terminal gets its pid late
        return found

    def _life(self, process: Process, event: Event) -> _Life:
        life = self._lives.get(process)
        if life is None:
            began = process.started or event
            life = self._lives[process] = _Life(process, min(event.line, began.line), began.time)
        return life

    def _call(self, process: Process, call: Syscall) -> None:
        life = self._life(process, call)
        if (program := program_of(call)) is not None:
            life.programs.append(program)
        elif call.name in FORKS and call.result is not None and call.result > 0:
            self._child(call)
        elif call.name == "exit_group":
            life.left = call.time
        elif call.name in SIGNAL_SENDS:
            self._killings.send(process, call)
        elif process.reaped and process.reaped[-1].call is call:
            last = process.reaped[-1]
            child = self._lives.get(last.child) if last.child is not None else None
            if child is not None and child.reaped is None:
                child.reaped = (last.status, last.signal)

    def _child(self, call: Syscall) -> None:
        """Record a child when it is created: strace may not follow it."""
        child = self._kernel.process_table.threads.get(call.result)
        if child is not None:
            life = self._life(child.process, call)
            life.strands.setdefault(child, _Strand(child.tid, call.time))

    def _exit(self, thread: kernel.Thread, event: Exit) -> None:
        life = self._life(thread.process, event)
        life.strands[thread].ended = event.time
        # The status is that of the first thread, whichever exits last.
        first = thread.tid == thread.process.pid
        if first or not life.told:
            life.end, life.told = event, first

    def roots(self) -> tuple[Node, ...]:
        """Return the processes without a parent in the trace, with their descendants, in order of creation."""
        children: dict[Process | None, list[_Life]] = {}
        for life in self._lives.values():
            parent = life.process.parent
            children.setdefault(parent if parent in self._lives else None, []).append(life)
        made: dict[Process, Node] = {}
        for life in reversed(list(_descending(children))):
            below = sorted(children.get(life.process, ()), key=_birth)
            made[life.process] = self._node(life, tuple(made[child.process] for child in below))
        return tuple(made[life.process] for life in sorted(children.get(None, ()), key=_birth))

    def _node(self, life: _Life, children: tuple[Node, ...]) -> Node:
        process, end = life.process, life.end if life.process.exit is not None else None
        status, signal = (end.status, end.signal) if end is not None else life.reaped or (None, None)
        if end is None and signal is None and status is None:
            status = process.exit_status
        first, *others = life.strands.values()
        ended = process.exit.time if process.exit is not None else life.left
        return Node(
            pid=process.pid,
            first_line=life.first_line,
            born=process.started is not None or bool(life.programs and life.programs[0].line <= life.first_line),
            programs=tuple(life.programs),
            started=life.first_time,
            ended=ended,
            status=status,
            signal=signal,
            core_dumped=end is not None and end.core_dumped,
            running=end is None and status is None and signal is None,
            killer=None if signal is None else self._killings.killer(process, signal),
            signals=dict(life.signals),
            calls=sum(strand.calls for strand in (first, *others)),
            threads=tuple(Thread(strand.tid, strand.started, strand.ended, strand.calls) for strand in others),
            children=children,
        )


def _birth(life: _Life) -> int:
    return life.first_line


def _descending(children: dict[Process | None, list[_Life]]) -> Iterator[_Life]:
    """Yield all processes, parents before children; without recursion, because a chain of forks can be long."""
    waiting = list(children.get(None, ()))
    while waiting:
        life = waiting.pop()
        yield life
        waiting += children.get(life.process, ())


def grow_tree(trace: str, progress: Progress | None = None) -> Tree:
    """Read a trace, given as for `Reader`, and return its processes. Raises `UnreadableError`."""
    reader, descent = Reader(trace, progress=progress), _Descent()
    for event in reader:
        descent.take(event)
    counts = reader.counts
    source = Source(trace, counts.lines, counts.calls, counts.not_understood, reader.damage)
    return Tree(source=source, start=descent.start, roots=descent.roots())

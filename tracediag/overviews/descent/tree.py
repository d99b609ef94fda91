"""The process tree: parents and children, the programs they ran, how they ended and what killed them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from tracediag.kernel import Kernel, apply
from tracediag.kernel import process as kernel
from tracediag.kernel.process import Process
from tracediag.overviews.counting.view import Progress
from tracediag.overviews.descent.killing import Killings
from tracediag.overviews.programs import program_of
from tracediag.overviews.sources import source_of
from tracediag.reading import AnySource, Reader
from tracediag.results.tables import Node, Program, Thread, Tree
from tracediag.trace.calls import CHILD_WAITS, EXECS, EXITS, FORKS, SIGNAL_SENDS
from tracediag.trace.events import Call, Event, Syscall
from tracediag.trace.records import Exit, Notice, Signal, Superseded

_SHAPING = FORKS | EXECS | SIGNAL_SENDS | EXITS | CHILD_WAITS
"""The calls that affect the tree."""


class _ThreadState(msgspec.Struct, eq=False):
    """The state of a thread while the trace is read."""

    tid: int | None
    started: float | None
    ended: float | None = None
    calls: int = 0


class _ProcessState(msgspec.Struct, eq=False):
    """The state of a process while the trace is read."""

    process: Process
    first_line: int
    first_time: float | None
    programs: list[Program] = msgspec.field(default_factory=list)
    signals: Counter[str] = msgspec.field(default_factory=Counter)
    thread_states: dict[kernel.Thread, _ThreadState] = msgspec.field(default_factory=dict)
    """Its threads; the first is its initial thread."""
    left: float | None = None
    """When it called exit_group."""
    end: Exit | None = None
    """The exit of its first thread, or if that is not shown of its last one."""
    end_of_first: bool = False
    """Whether `end` is the first thread's."""
    reaped: tuple[int | None, str | None] | None = None
    """Status and signal as its parent learned them."""


class _TreeBuilder:
    """Builds the tree of one trace."""

    def __init__(self) -> None:
        self._kernel = Kernel()
        self._states: dict[Process, _ProcessState] = {}
        self._killings = Killings()
        self.start: float | None = None

    def take(self, event: Event) -> None:
        """Process one event; calls that do not affect the tree are only counted."""
        if self.start is None:
            self.start = event.time
        people = self._kernel.process_table
        thread = people.thread(event)
        if event.pid is not None or isinstance(event, Call | Exit | Signal):
            thread_state = self._thread_state(thread, event)
            if isinstance(event, Syscall):
                thread_state.calls += 1
        if isinstance(event, Call) and event.name not in _SHAPING:
            return
        process = thread.process
        apply(self._kernel, event)
        match event:
            case Syscall():
                self._call(process, event)
            case Signal():
                self._states[process].signals[event.name] += 1
                self._killings.arrive(process, event)
            case Exit():
                self._exit(thread, event)
            case Superseded() | Notice():
                pass

    def _thread_state(self, thread: kernel.Thread, event: Event) -> _ThreadState:
        state = self._state(thread.process, event)
        found = state.thread_states.get(thread)
        if found is None:
            found = state.thread_states[thread] = _ThreadState(thread.tid, event.time)
        found.tid = thread.tid  # a process on a terminal gets its pid late
        return found

    def _state(self, process: Process, event: Event) -> _ProcessState:
        state = self._states.get(process)
        if state is None:
            began = process.started or event
            state = self._states[process] = _ProcessState(process, min(event.line, began.line), began.time)
        return state

    def _call(self, process: Process, call: Syscall) -> None:
        state = self._state(process, call)
        if (program := program_of(call)) is not None:
            state.programs.append(program)
        elif call.name in FORKS and call.result is not None and call.result > 0:
            self._child(call)
        elif call.name == "exit_group":
            state.left = call.time
        elif call.name in SIGNAL_SENDS:
            self._killings.send(process, call)
        elif process.reaped and process.reaped[-1].call is call:
            last = process.reaped[-1]
            child = self._states.get(last.child) if last.child is not None else None
            if child is not None and child.reaped is None:
                child.reaped = (last.status, last.signal)

    def _child(self, call: Syscall) -> None:
        """Record a child when it is created: strace may not follow it."""
        child = self._kernel.process_table.find(call.result)
        if child is not None:
            state = self._state(child.process, call)
            state.thread_states.setdefault(child, _ThreadState(child.tid, call.time))

    def _exit(self, thread: kernel.Thread, event: Exit) -> None:
        state = self._state(thread.process, event)
        state.thread_states[thread].ended = event.time
        # The status is that of the first thread, whichever exits last.
        first = thread.tid == thread.process.pid
        if first or not state.end_of_first:
            state.end, state.end_of_first = event, first

    def roots(self) -> tuple[Node, ...]:
        """Return the processes without a parent in the trace, with their descendants, in order of creation."""
        children: dict[Process | None, list[_ProcessState]] = {}
        for state in self._states.values():
            parent = state.process.parent
            children.setdefault(parent if parent in self._states else None, []).append(state)
        made: dict[Process, Node] = {}
        for state in reversed(list(_descending(children))):
            below = sorted(children.get(state.process, ()), key=_birth)
            made[state.process] = self._node(state, tuple(made[child.process] for child in below))
        return tuple(made[state.process] for state in sorted(children.get(None, ()), key=_birth))

    def _node(self, state: _ProcessState, children: tuple[Node, ...]) -> Node:
        process, end = state.process, state.end if state.process.exit is not None else None
        status, signal = (end.status, end.signal) if end is not None else state.reaped or (None, None)
        if end is None and signal is None and status is None:
            status = process.exit_status
        first, *others = state.thread_states.values()
        ended = process.exit.time if process.exit is not None else state.left
        return Node(
            pid=process.pid,
            first_line=state.first_line,
            born=process.started is not None or bool(state.programs and state.programs[0].line <= state.first_line),
            programs=tuple(state.programs),
            started=state.first_time,
            ended=ended,
            status=status,
            signal=signal,
            core_dumped=end is not None and end.core_dumped,
            running=end is None and status is None and signal is None,
            killer=None if signal is None else self._killings.killer(process, signal),
            signals=dict(state.signals),
            calls=sum(thread_state.calls for thread_state in (first, *others)),
            threads=tuple(
                Thread(thread_state.tid, thread_state.started, thread_state.ended, thread_state.calls)
                for thread_state in others
            ),
            children=children,
        )


def _birth(state: _ProcessState) -> int:
    return state.first_line


def _descending(children: dict[Process | None, list[_ProcessState]]) -> Iterator[_ProcessState]:
    """Yield all processes, parents before children; without recursion, because a chain of forks can be long."""
    waiting = list(children.get(None, ()))
    while waiting:
        state = waiting.pop()
        yield state
        waiting += children.get(state.process, ())


def grow_tree(trace: AnySource, progress: Progress | None = None) -> Tree:
    """Read a trace, given as for `Reader`, and return its processes. Raises `UnreadableError`."""
    reader, descent = Reader(trace, progress=progress), _TreeBuilder()
    for event in reader:
        descent.take(event)
    return Tree(source=source_of(trace, reader), start=descent.start, roots=descent.roots())

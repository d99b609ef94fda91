"""The process tree: parents and children, the programs they ran, how they ended and what killed them."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.kernel import Kernel, apply
from tracediag.kernel import process as kernel
from tracediag.kernel.process import Process
from tracediag.overviews.counting.view import Progress
from tracediag.overviews.descent.directories import Directories
from tracediag.overviews.descent.killing import Killings
from tracediag.overviews.descent.states import NOTHING, ProcessState, ThreadState
from tracediag.overviews.happening.standing import standing
from tracediag.overviews.programs import arguments_of, program_of
from tracediag.overviews.sources import kernel_of, source_of
from tracediag.reading import AnySource, Reader
from tracediag.results.tree import Node, Program, Tree
from tracediag.snapshot import Snapshot
from tracediag.trace.calls import (
    CHDIRS,
    CHILD_WAITS,
    CLOSES,
    CONTROLS,
    EXECS,
    EXITS,
    FORKS,
    MAKERS,
    MESSAGE_RECEIVES,
    OPENS,
    SIGNAL_SENDS,
    SOCKET_LOOKS,
    SOCKET_SETUP,
)
from tracediag.trace.events import Begun, Call, Event, Syscall
from tracediag.trace.records import Exit, Signal

_SHAPING = FORKS | EXECS | SIGNAL_SENDS | EXITS | CHILD_WAITS
"""The calls that affect the tree."""
_HANDED = (
    MAKERS | CLOSES | CONTROLS | CHDIRS | MESSAGE_RECEIVES
    | SOCKET_SETUP | SOCKET_LOOKS | {"ioctl", "getcwd", "chroot", "pivot_root", "unshare", "setns"}
)  # fmt: skip
"""The calls that affect what programs inherit: descriptors and the working directory."""


class _TreeBuilder:
    """Builds the tree of one trace."""

    def __init__(self, model: Kernel, tally: dict[str, int], *, waits: bool) -> None:
        self._kernel = model
        self._waits = waits
        self._tally = tally
        self._states: dict[Process, ProcessState] = {}
        self._by_pid: dict[int | None, ThreadState] = {}
        """The threads by the pids of the lines."""
        self._killings = Killings()
        self.start: float | None = None

    def read(self, reader: Reader) -> None:
        """Process all events of a trace, and the calls that the reader has only counted."""
        table, states, waits = self._kernel.process_table, self._by_pid, self._waits
        for event in reader:
            if self.start is None:
                self.start = event.time
            thread = table.last
            if thread is None or thread.tid != event.pid:
                thread = table.thread(event)
            state = states.get(event.pid)
            if state is None or state.thread is not thread or state.process is not thread.process:
                state = self._thread_state(thread, event)
            if isinstance(event, Syscall):
                if state is not None:
                    state.calls += 1
                name = event.name
                if waits or name in _SHAPING or (name in _HANDED and _hands(thread, event)):
                    apply(self._kernel, event)
                    self._call(thread, event)
            elif waits or not isinstance(event, Begun) or event.name in _SHAPING:
                if isinstance(event, Exit):
                    self._settle(event.pid)
                self._other(thread, event)
        for pid in list(states):
            self._settle(pid)

    def _settle(self, pid: int | None) -> None:
        """Add the calls that were only counted to the thread that made them."""
        state, calls = self._by_pid.get(pid), self._tally.pop("" if pid is None else str(pid), 0)
        if state is not None:
            state.calls += calls

    def _other(self, thread: kernel.Thread, event: Event) -> None:
        process = thread.process
        apply(self._kernel, event)
        match event:
            case Signal():
                self._states[process].signals[event.name] += 1
                self._killings.arrive(process, event)
            case Exit():
                self._exit(thread, event)
            case _:  # the model alone needs it
                pass

    def _thread_state(self, thread: kernel.Thread, event: Event) -> ThreadState | None:
        """Return the state of the thread of an event; None for a line that is of strace itself."""
        if event.pid in self._by_pid:
            self._settle(event.pid)
        if event.pid is None and not isinstance(event, Call | Exit | Signal):
            return None
        made = ThreadState(thread, thread.process, event.time)
        found = self._state(thread.process, event).thread_states.setdefault(thread, made)
        self._by_pid[event.pid] = found
        return found

    def _state(self, process: Process, event: Event) -> ProcessState:
        state = self._states.get(process)
        if state is None:
            began = process.started or event
            parent = None if process.parent is None else self._states.get(process.parent)
            handed = NOTHING if parent is None else parent.handed
            place = Directories(process.place.cwd)
            state = ProcessState(process, min(event.line, began.line), began.time, handed, place)
            self._states[process] = state
            if process.started is None and (command := arguments_of(self._kernel, process.pid)):
                state.programs.append(Program(command, shortened=False, line=0, time=None))
        return state

    def _call(self, thread: kernel.Thread, call: Syscall) -> None:
        process = thread.process
        state = self._state(process, call)
        state.directories.take(thread, call)
        if (program := program_of(call)) is not None:
            state.execute(call, program)
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
            if child.tid in self._by_pid:  # its first lines came before the clone returned, as those of another
                self._settle(child.tid)
            state = self._state(child.process, call)
            state.thread_states.setdefault(child, ThreadState(child, child.process, call.time))

    def _exit(self, thread: kernel.Thread, event: Exit) -> None:
        state = self._state(thread.process, event)
        state.thread_states[thread].ended = event.time
        # The status is that of the first thread, whichever exits last.
        first = thread.tid == thread.process.pid
        if first or not state.end_of_first:
            state.end, state.end_of_first = event, first
        if thread.process.exit is event:
            state.handed = NOTHING

    def roots(self) -> tuple[Node, ...]:
        """Return the processes without a parent in the trace, with their descendants, in order of creation."""
        children: dict[Process | None, list[ProcessState]] = {}
        for state in self._states.values():
            parent = state.process.parent
            children.setdefault(parent if parent in self._states else None, []).append(state)
        made: dict[Process, Node] = {}
        waiting = standing(self._kernel) if self._waits else ()
        for state in reversed(list(_descending(children))):
            below = sorted(children.get(state.process, ()), key=_birth)
            signal = state.outcome[2]
            killer = None if signal is None else self._killings.killer(state.process, signal)
            tids = {state.process.pid, *(each.tid for each in state.thread_states.values())}
            own = tuple(each for each in waiting if each.pid in tids)
            made[state.process] = state.node(tuple(made[child.process] for child in below), killer, own)
        return tuple(made[state.process] for state in sorted(children.get(None, ()), key=_birth))


def _hands(thread: kernel.Thread, call: Syscall) -> bool:
    """Whether a call may affect what a program inherits: most files are opened close-on-exec, and closed unseen."""
    name = call.name
    if call.errno is not None and name != "connect":
        return False
    if name in OPENS:
        return thread.place.cwd is None or not call.has("O_CLOEXEC")
    return name != "close" or thread.process.table.file_of(call.number(0)) is not None


def _birth(state: ProcessState) -> int:
    return state.first_line


def _descending(children: dict[Process | None, list[ProcessState]]) -> Iterator[ProcessState]:
    """Yield all processes, parents before children; without recursion, because a chain of forks can be long."""
    waiting = list(children.get(None, ()))
    while waiting:
        state = waiting.pop()
        yield state
        waiting += children.get(state.process, ())


def grow_tree(
    trace: AnySource, progress: Progress | None = None, known: Snapshot | None = None, *, waits: bool = False
) -> Tree:
    """Read a trace, given as for `Reader`, and return its processes. Raises `UnreadableError`.

    `known` is what /proc showed of the processes; by default the snapshot beside the trace, if there is one. With
    `waits`, each process has the calls in which it stands at the end, which takes the whole model of the kernel.
    """
    model = kernel_of(trace, known)
    reader = Reader(trace, calls=None if waits else _SHAPING | _HANDED, progress=progress)
    model.unfinished = reader.unfinished
    descent = _TreeBuilder(model, {} if waits else reader.count_others(), waits=waits)
    descent.read(reader)
    return Tree(source=source_of(trace, reader), start=descent.start, roots=descent.roots())

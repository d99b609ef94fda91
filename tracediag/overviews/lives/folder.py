"""The shapes of lives: every connection, child and opened file folded to its steps; equal ones are counted.

Where most objects of a kind live alike, the few that do not are told apart: an error that only three connections meet
stands out, whatever the program makes of it.
"""

from __future__ import annotations

from collections.abc import Collection

from tracediag.evidence.names import program_name
from tracediag.kernel import Action, Kernel, apply, begun_calls, known_calls, thread_of
from tracediag.kernel.describe import describe_file
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.process import Process
from tracediag.overviews.counting.view import Progress
from tracediag.overviews.lives.folding import Life, step_of
from tracediag.overviews.lives.shapes import Shapes
from tracediag.overviews.sources import kernel_of, source_of
from tracediag.reading import AnySource, Reader
from tracediag.results.lives import KINDS, Lives
from tracediag.snapshot import Snapshot
from tracediag.trace.calls import (
    ACCEPTS,
    CHILD_WAITS,
    EXECS,
    FILE_READS,
    FILE_WRITES,
    FORKS,
    LOOKS,
    MAPS,
    OPENS,
    POSITIONED_READS,
    POSITIONED_WRITES,
    SIGNAL_ACTIONS,
    SIGNAL_MASKS,
)
from tracediag.trace.events import Event, Syscall
from tracediag.trace.records import Exit

_ELSEWHERE = (
    MAPS
    | SIGNAL_ACTIONS
    | SIGNAL_MASKS
    | LOOKS
    | {"munmap", "mremap", "brk", "getrlimit", "prlimit64", "setrlimit", "ugetrlimit"}
    | {f"get{who}{bits}" for who in ("uid", "euid", "gid", "egid", "resuid", "resgid", "groups") for bits in ("", "32")}
)
"""Frequent calls that neither create, move data of, nor close a descriptor, nor create or end a process."""
_TRANSFERS = FILE_READS | FILE_WRITES | POSITIONED_READS | POSITIONED_WRITES
"""Calls that change nothing in the model but a file's position, if they are on a file."""
_OF_CHILDREN = FORKS | EXECS | CHILD_WAITS
_NOWHERE = frozenset({"ENOENT", "ENOTDIR"})
"""Errors of a path: the call has found no object to act on."""


def fold_lives(
    trace: AnySource,
    of: Collection[str] = KINDS,
    progress: Progress | None = None,
    known: Snapshot | None = None,
) -> Lives:
    """Read a trace, given as for `Reader`, and return the shapes of its lives; one pass.

    Args:
        trace: the trace.
        of: which objects: "connections", "children", "files".
        progress: called with the number of bytes consumed.
        known: what /proc showed of the processes; by default the snapshot beside the trace, if there is one.

    Raises:
        UnreadableError: if the trace cannot be read.
        ValueError: if there is no such kind of object.
    """
    for kind in of:
        if kind not in KINDS:
            raise ValueError(f"no lives of {kind!r}; there are {', '.join(KINDS)}")
    heard = known_calls() - _ELSEWHERE
    folder = _Folder(frozenset(of), kernel_of(trace, known))
    reader = Reader(trace, calls=heard, begun=begun_calls(), failures=False, progress=progress)
    folder.read(reader)
    folder.finish()
    return Lives(source=source_of(trace, reader), groups=folder.shapes.groups())


class _Folder:
    """Follows the lives that are not over, and hands those that are to the shapes."""

    def __init__(self, of: frozenset[str], kernel: Kernel) -> None:
        self.shapes = Shapes()
        self._kernel = kernel
        self._connections, self._files, self._children = (kind in of for kind in KINDS)
        self._open: dict[OpenFile, Life] = {}
        self._living: dict[Process, Life] = {}

    def read(self, reader: Reader) -> None:
        """Process all events of a trace."""
        model, lives = self._kernel, self._open
        for event in reader:
            if isinstance(event, Syscall):
                if event.errno in _NOWHERE and event.name in OPENS:
                    thread_of(model, event)
                    continue
                if event.name in _TRANSFERS and self._transfers(event):
                    continue
                action = apply(model, event)
                for opened in action.opened:
                    self._born(opened, event)
                descriptor = action.descriptor
                life = None if descriptor is None else lives.get(descriptor.file)
                if life is not None and event.name not in ACCEPTS and (step := step_of(event)) is not None:
                    life.add(step, event.line)
                if event.name in _OF_CHILDREN and self._children:
                    self._child(action, event)
            else:
                action = apply(model, event)
                self._left(action, event)
            for released in action.released:
                if released.file.gone:
                    self._gone(released.file, event)

    def _transfers(self, call: Syscall) -> bool:
        """Add a transfer to the life of an open file; False if it is of something else, whose state it may change."""
        thread, number = thread_of(self._kernel, call), call.number(0)
        held = None if number is None else thread.process.table.open.get(number)
        if held is None or held.file.kind is not Kind.FILE or self._kernel.process_table.strangers.mixed:
            return False
        life = self._open.get(held.file)
        if life is not None and (step := step_of(call)) is not None:
            life.add(step, call.line)
        return True

    def _left(self, action: Action, event: Event) -> None:
        if isinstance(event, Exit) and action.process.exit is event:
            life = self._living.pop(action.process, None)
            if life is not None:
                end = f"exit {event.status}" if event.signal is None else f"killed by {event.signal}"
                self._end("children", life, end, event.line)

    def _born(self, opened: Descriptor, call: Syscall) -> None:
        file = opened.file
        if self._connections and file.kind is Kind.SOCKET and file.socket is not None:
            life = self._open[file] = Life(f"fd {opened.number}", call.line)
            if call.name in ACCEPTS:
                life.add("accept", call.line)
        elif self._files and file.kind is Kind.FILE and call.name in OPENS:
            life = self._open[file] = Life(f"fd {opened.number}", call.line)
            life.add("create" if call.has("O_CREAT") else "open", call.line)

    def _child(self, action: Action, call: Syscall) -> None:
        if call.name in CHILD_WAITS:
            self._reaped(action, call)
        elif call.name in FORKS:
            thread = self._kernel.process_table.find(call.result) if call.result else None
            if thread is not None and thread.process is not action.process:
                life = self._living.setdefault(thread.process, Life(f"pid {call.result}", call.line))
                life.add("fork", call.line)
        elif (child := self._living.get(action.process)) is not None:
            program = program_name(call.path(1 if call.name == "execveat" else 0)) or "?"
            child.add(f"exec {call.errno or program}", call.line)

    def _reaped(self, action: Action, call: Syscall) -> None:
        """End the life of a child that strace did not follow: only its parent learns how it ended."""
        last = action.process.reaped[-1] if action.process.reaped else None
        if last is None or last.call is not call or last.child is None:
            return
        life = self._living.pop(last.child, None)
        if life is not None:
            end = f"exit {last.status}" if last.signal is None else f"killed by {last.signal}"
            self._end("children", life, end, call.line)

    def _gone(self, file: OpenFile, event: Event) -> None:
        life = self._open.pop(file, None)
        if life is None:
            return
        if isinstance(event, Exit):
            end = "process ends"
        else:
            end = "exec" if isinstance(event, Syscall) and event.name in EXECS else "close"
        self._end_file(file, life, end, event.line)

    def _end_file(self, file: OpenFile, life: Life, end: str, line: int) -> None:
        kind = _kind(file, life)
        if kind is not None:
            self._end(kind, life, end, line, file)

    def _end(self, kind: str, life: Life, end: str, line: int, file: OpenFile | None = None) -> None:
        life.add(end, line)
        # Only now is the other end of a connection known; few lives are an example, and need a name.
        self.shapes.add(kind, life, lambda: _named(life, file))

    def finish(self) -> None:
        """End what the trace leaves alive."""
        for file, life in self._open.items():
            self._end_file(file, life, "still open", life.last_line)
        for life in self._living.values():
            self._end("children", life, "still running", life.last_line)


def _named(life: Life, file: OpenFile | None) -> str:
    what = None if file is None else describe_file(file)
    return f"{life.name} = {what}" if what else life.name


def _kind(file: OpenFile, life: Life) -> str | None:
    """Return the group of a life; None for a socket that never was a connection."""
    if file.kind is Kind.FILE:
        return "files"
    if life.steps[:1] == ["accept"]:
        return "connections accepted"
    is_made = any(step.startswith("connect") for step in life.steps)
    return "connections made" if is_made else None

"""TD002: a command in a loop reads the input of the loop to its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.names import process_name, subject
from tracediag.evidence.paths import path_of
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Kind, OpenFile
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_process_end, on_release
from tracediag.trace.calls import EXECS, MOVES, READS
from tracediag.trace.events import Syscall

_INPUT = 0
_ANCESTORS = 4
"""A subshell, env, sudo or timeout may stand between the loop and the command."""
_SHARED = frozenset({Kind.FILE, Kind.PIPE, Kind.UNKNOWN})


class _Eaten(msgspec.Struct, eq=False):
    """What a child has read of the standard input that it shares with its parent."""

    name: str
    call: Syscall
    """Its last read that returned data."""
    parents: tuple[Process, ...]
    """Its ancestors with the same standard input, the nearest first: the loop is one of them."""
    path: str | None


class LoopInputEaten(Rule):
    """A child takes the rest of the standard input that its parent, a loop, reads: the next read there returns 0."""

    code = "TD002"
    name = "loop-input-eaten"
    severity = Severity.WARNING
    summary = "a command in a loop reads the input of the loop to its end"
    raised_by = (READS, EXECS)

    def __init__(self) -> None:
        self._eaten: Cases[OpenFile, _Eaten] = Cases()

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Note what a child has read of its parent's input; judge the input of a parent."""
        if self._eaten:
            yield from self._judged(end.process, list(self._eaten))
        file = None if end.process.executed is None else _input(end)
        if file is None or file.got is None or not _made(file.got, end.process):
            return
        parents = tuple(_sharing(end.process, file))
        if parents and _is_shared(file):
            path = path_of(file, parents[0])
            self._eaten[file] = _Eaten(process_name(end.process), file.got, parents, path)

    @on_release
    def released(self, action: Action) -> Iterable[Finding] | None:
        """Judge an input that a parent closes: the loop is over."""
        if not self._eaten:  # nearly always
            return None
        return self._judged(action.process, [descriptor.file for descriptor in action.released])

    def _judged(self, process: Process, files: Iterable[OpenFile]) -> Iterator[Finding]:
        """Report the files that a process had shared with a command, and found at their end after that."""
        for file in files:
            eaten, end = self._eaten.get(file), file.at_end
            if eaten is None or end is None or process not in eaten.parents:
                continue
            if file.got is eaten.call and end.last.line > eaten.call.line and _made(end.last, process):
                del self._eaten[file]
                yield self._finding(file, eaten, process, end.last)

    def _finding(self, file: OpenFile, eaten: _Eaten, loop: Process, last: Syscall) -> Finding:
        what = eaten.path or "standard input"
        shared = f"{what}, the standard input" if eaten.path else "the standard input"
        reader, command = subject(loop), eaten.name.partition(" (pid")[0]
        steps = [
            step(eaten.call, f"{command} takes data from {shared} that {reader} has passed on"),
            step(last, f"the next read of {reader} returns 0: nothing is left for the loop or script", primary=True),
        ]
        if file.opened is not None:
            steps.append(step(file.opened, f"{what} is opened"))
        return self.finding(
            steps,
            object=what,
            title=f"{eaten.name} consumes the rest of {shared} of {process_name(loop)}:"
            " no line is left for the loop or script",
            confidence=Confidence.LIKELY,
            why="a child inherits the standard input of the shell, with one file offset for both: the loop does not get"
            " what the command reads; fork(2), open(2)",
            fix=f"redirect the input of the command: {command} ... < /dev/null (ssh -n, ffmpeg -nostdin); or let the"
            " loop read another descriptor: while read -r line <&3; do ...; done 3< FILE",
        )


def _input(end: ProcessEnd) -> OpenFile | None:
    """Return what the standard input of a process was when it ended, or before the process closed it."""
    held = next((descriptor for descriptor in end.held if descriptor.number == _INPUT), None)
    held = held or end.process.table.last_closed.get(_INPUT)
    return None if held is None else held.file


def _sharing(process: Process, file: OpenFile) -> Iterator[Process]:
    """Yield the ancestors of a process with the same standard input, the nearest first."""
    parent = process.parent
    for _ in range(_ANCESTORS):
        if parent is None or parent.table.file_of(_INPUT) is not file:
            return
        yield parent
        parent = parent.parent


def _is_shared(file: OpenFile) -> bool:
    """Whether a file gives each byte only once, and is no terminal: there the user types more."""
    return file.kind in _SHARED and not file.terminal and not (file.path or "").startswith(("/dev/", "/proc/"))


def _made(call: Syscall, process: Process) -> bool:
    """Whether the first thread of a process took data by a call, or tried to."""
    return call.pid == process.pid and (call.name in READS or call.name in MOVES)

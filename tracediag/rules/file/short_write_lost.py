"""TD401: a write of which the kernel took only a part, and the rest is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracediag.evidence.complaints import said_by
from tracediag.evidence.partial_writes import Partial, elsewhere, given_up, looks_whole, taken_in_part, wants_room
from tracediag.evidence.paths import takes_back
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import MESSAGES, Descriptor, Kind, OpenFile
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end, on_release
from tracediag.trace.calls import FTRUNCATES, POSITIONED_WRITES, UNLINKS
from tracediag.trace.events import Event, Exit, Syscall

_NOT_NOW = frozenset({"EAGAIN", "EWOULDBLOCK", "EINTR"})
_OWN_WAYS = ("/proc/", "/sys/", "/dev/")
_TERMINALS = ("/dev/pts/", "/dev/tty", "/dev/console")
_WORDS = ("error", "fail", "short", "partial", "incomplete", "truncated", "write", "wrote", "written")
_HUGE = (1 << 32) - (1 << 16)
"""More than this is a length below zero: it has no rest."""
_STDERR = 2
_KEPT = 32


@dataclass(slots=True)
class _Lost:
    """A rest that can no longer be written; its process may still speak of it."""

    process: Process
    descriptor: Descriptor
    short: Partial
    after: Event


class ShortWriteLost(Rule):
    """A write to a file or pipe takes less than was given, and the remainder never follows."""

    code = "TD401"
    name = "short-write-lost"
    severity = Severity.ERROR
    summary = "the kernel takes only a part of a write, and the rest is never written"

    def __init__(self) -> None:
        self._open = 0
        """How many descriptions wait for a rest: most of the time none, and then a whole write is no matter."""
        self._lost: list[_Lost] = []

    @on_call("write")
    def wrote(self, action: Action) -> Iterator[Finding] | None:
        """Compare what was taken with what was given, by the text alone: this sees every write of a trace."""
        call = action.call
        if not self._open and call.body.endswith(f", {call.result}"):
            return None
        return self._wrote(action)

    @on_call("writev", *POSITIONED_WRITES)
    def wrote_otherwise(self, action: Action) -> Iterator[Finding] | None:
        """Compare as above."""
        return self._wrote(action) if self._open or not looks_whole(action.call) else None

    def _wrote(self, action: Action) -> Iterator[Finding]:
        call = action.call
        descriptor = action.descriptor or action.process.table.get(call.number(0) or 0)
        if descriptor is None or not _keeps_order(descriptor.file):
            return
        short: Partial | None = descriptor.file.memory.get(self.name)
        if short is None:
            self._note(action, descriptor.file)
        elif call.result is None or call.errno in _NOT_NOW:
            short.retried = call
        elif call.result <= 0:
            self._forget(descriptor.file)  # the program learns why, and other rules see what it makes of that
        elif action.thread is short.thread and not POSITIONED_WRITES & {call.name, short.call.name}:
            self._forget(descriptor.file)
            confidence = elsewhere(short, call)
            if confidence is not None and action.kernel.elided < short.call.line:
                yield self._finding(_Lost(action.process, descriptor, short, call), confidence)
            self._note(action, descriptor.file)
        elif _is_rest(short, call):
            self._forget(descriptor.file)
            self._note(action, descriptor.file)

    def _note(self, action: Action, file: OpenFile) -> None:
        """Remember a write that took less than it was given."""
        short = None if looks_whole(action.call) else taken_in_part(action, file)
        if short is not None and short.size < _HUGE:
            file.memory[self.name] = short
            self._open += 1

    def _forget(self, file: OpenFile) -> None:
        if file.memory.pop(self.name, None) is not None:
            self._open -= 1

    @on_call(*UNLINKS, *FTRUNCATES)
    def undone(self, action: Action) -> None:
        """Whoever removes or cuts what he could not write whole has seen it."""
        if self._lost:
            self._lost = [lost for lost in self._lost if not takes_back(action, lost.descriptor.file)]
        if self._open:
            for descriptor in action.process.table.open.values():
                if self.name in descriptor.file.memory and takes_back(action, descriptor.file):
                    self._forget(descriptor.file)

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The last number of the process for the description is closed, and the rest can no longer be written."""
        for descriptor in action.released if self._open else ():
            short: Partial | None = descriptor.file.memory.get(self.name)
            if short is None or short.thread.process is not action.process:
                continue
            if any(holder.table is descriptor.table for holder in descriptor.file.holders):
                continue
            self._forget(descriptor.file)
            if _excused(descriptor.file, short, action.event) or action.kernel.elided > short.call.line:
                continue
            lost = _Lost(action.process, descriptor, short, action.event)
            if isinstance(action.event, Exit):
                yield from self._judged(lost)
            elif len(self._lost) < _KEPT:
                self._lost.append(lost)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """The status, and what was said on fd 2, tell whether the program knows."""
        ours = [lost for lost in self._lost if lost.process is end.process]
        if ours:
            self._lost = [lost for lost in self._lost if lost.process is not end.process]
        for lost in (*ours, *self._unclosed(end)):
            yield from self._judged(lost)

    def _unclosed(self, end: ProcessEnd) -> Iterator[_Lost]:
        """Yield what an exit_group loses whose exit the trace does not report: so no release, either."""
        if end.exit is not None or end.event is None or not self._open:
            return
        for descriptor in end.held:
            short: Partial | None = descriptor.file.memory.get(self.name)
            if short is not None and not _excused(descriptor.file, short, end.event):
                yield _Lost(end.process, descriptor, short, end.event)

    def _judged(self, lost: _Lost) -> Iterator[Finding]:
        process = lost.process
        status = process.status
        if not status and not _told(lost):
            yield self._finding(lost, Confidence.LIKELY if self.scope.is_excerpt else Confidence.CERTAIN)

    def _finding(self, lost: _Lost, confidence: Confidence) -> Finding:
        short, number = lost.short, lost.descriptor.number
        call, guess = short.call, confidence is Confidence.POSSIBLE
        title = f"{short.rest} bytes of a write are lost: the kernel took {call.result} of {short.size}"
        return self.finding(
            _story(lost),
            object=describe(lost.descriptor),
            title=f"if this block is a new one, {title}" if guess else title,
            severity=Severity.WARNING if guess else Severity.ERROR,
            confidence=confidence,
            absent=[no(f"write of the remaining {short.rest} bytes on fd {number}", call, lost.after)],
            why="write may take less than it is given, where a file system or a limit is full, on a non-blocking pipe,"
            " after a signal, or beyond 2 GB; it says how much, and the rest is the program's to write: write(2)",
            fix=_fix(lost.descriptor),
        )


def _keeps_order(file: OpenFile) -> bool:
    """Whether what is written is a plain row of bytes: a socket has a rule of its own, a device its own ways."""
    if file.socket is not None or file.kind in MESSAGES or file.kind is Kind.SOCKET:
        return False
    path = file.path or ""
    return not path.startswith(_OWN_WAYS) or path.startswith(_TERMINALS)


def _is_rest(short: Partial, call: Syscall) -> bool:
    """Whether a write at a position, or by another thread, gives the rest."""
    if call.name not in POSITIONED_WRITES or short.call.name not in POSITIONED_WRITES:
        return call.name not in POSITIONED_WRITES and elsewhere(short, call) is None
    before, now = short.call.number(3), call.number(3)
    return before is None or now is None or now == before + (short.call.result or 0)


def _excused(file: OpenFile, short: Partial, event: Event) -> bool:
    """Whether nobody would get the rest, or it was given up on purpose."""
    signal = short.thread.last_signal
    if signal is not None and signal.name == "SIGPIPE" and signal.line > short.call.line:
        return True
    broken = file.pipe is not None and file.pipe.pipe.broken is not None
    return broken or file.sent is not None or wants_room(file) or given_up(short, event)


def _told(lost: _Lost) -> bool:
    """Whether the process has spoken of it on fd 2."""
    said = said_by(lost.process, lost.short.call.line)
    if lost.descriptor.number == _STDERR or not said:
        return False
    opened = lost.descriptor.file.opened
    if opened is not None and said.names_object(opened) is not None:
        return True
    return said.says(*_WORDS) is not None


def _fix(descriptor: Descriptor) -> str:
    number = descriptor.number
    if descriptor.file.flags.has("O_NONBLOCK"):
        return (
            f"write on fd {number} in a loop: go on behind the bytes taken, wait for POLLOUT on EAGAIN, and close only"
            " when all is written"
        )
    return (
        f"write on fd {number} in a loop: go on behind the bytes taken until all is written or write fails, and report"
        " that failure"
    )


def _story(lost: _Lost) -> Iterator[Step]:
    short, after, number = lost.short, lost.after, lost.descriptor.number
    yield from birth(lost.descriptor)
    taken = f"the kernel takes {short.call.result} of {short.size} bytes"
    yield step(short.call, f"{taken}; {short.rest} are left to write", primary=True)
    if short.retried is not None:
        yield step(short.retried, "one more attempt, of which nothing is taken")
    if isinstance(after, Exit) or (isinstance(after, Syscall) and after.name in ("exit_group", "execve")):
        yield step(after, f"the program ends, and fd {number} with it")
    elif isinstance(after, Syscall):
        writes = after.name.startswith("write")
        yield step(after, "the next write gives new data, not the rest" if writes else f"fd {number} is closed")

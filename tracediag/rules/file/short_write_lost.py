"""TD401: a short write whose rest is never written."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import said_by
from tracediag.evidence.partial_writes import (
    Partial,
    abandoned,
    elsewhere,
    looks_complete,
    taken_in_part,
    watches_for_room,
)
from tracediag.evidence.paths import undoes
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import MESSAGES, Descriptor, Kind, OpenFile
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end, on_release
from tracediag.trace.calls import EXECS, FILE_WRITES, FTRUNCATES, POSITIONED_WRITES, UNLINKS
from tracediag.trace.events import Event, Syscall
from tracediag.trace.quantities import count, plural
from tracediag.trace.records import Exit

_ENDS = EXECS | {"exit_group"}
_NOT_NOW = frozenset({"EAGAIN", "EWOULDBLOCK", "EINTR"})
_OWN_WAYS = ("/proc/", "/sys/", "/dev/")
_TERMINALS = ("/dev/pts/", "/dev/tty", "/dev/console")
_WORDS = ("error", "fail", "short", "partial", "incomplete", "truncated", "write", "wrote", "written")
_HUGE = (1 << 32) - (1 << 16)
"""A size above this is a negative length: there is no rest."""
_STDERR = 2
_KEPT = 32


class _Lost(msgspec.Struct):
    """A rest that can no longer be written; the process may still report that."""

    process: Process
    descriptor: Descriptor
    short: Partial
    after: Event


class ShortWriteLost(Rule):
    """A write to a file or pipe is short, and the program never writes the rest."""

    code = "TD401"
    name = "short-write-lost"
    severity = Severity.ERROR
    summary = "a write is short, and the program never writes the rest"

    def __init__(self) -> None:
        self._short: Cases[OpenFile, Partial] = Cases()
        """The descriptions that wait for a rest: most of the time none, and then complete writes are skipped."""
        self._lost: list[_Lost] = []

    @on_call("write")
    def wrote(self, action: Action) -> Iterator[Finding] | None:
        """Compare the result with the size, by the text alone: this sees every write of a trace."""
        call = action.call
        if not self._short and call.body.endswith(f", {call.result}"):
            return None
        return self._wrote(action)

    @on_call("writev", *POSITIONED_WRITES)
    def wrote_otherwise(self, action: Action) -> Iterator[Finding] | None:
        """Compare as above."""
        return self._wrote(action) if self._short or not looks_complete(action.call) else None

    def _wrote(self, action: Action) -> Iterator[Finding]:
        call = action.call
        descriptor = action.descriptor or action.process.table.get(call.number(0) or 0)
        if descriptor is None or not _keeps_order(descriptor.file):
            return
        short = self._short.get(descriptor.file)
        if short is None:
            self._note(action, descriptor.file)
        elif call.result is None or call.errno in _NOT_NOW:
            short.retried = call
        elif call.result <= 0:
            del self._short[descriptor.file]  # the program learns the reason; other rules check what it does about that
        elif action.thread is short.thread and not POSITIONED_WRITES & {call.name, short.call.name}:
            del self._short[descriptor.file]
            confidence = elsewhere(short, call)
            if confidence is not None and action.kernel.elided < short.call.line:
                yield self._finding(_Lost(action.process, descriptor, short, call), confidence)
            self._note(action, descriptor.file)
        elif _is_rest(short, call):
            del self._short[descriptor.file]
            self._note(action, descriptor.file)

    def _note(self, action: Action, file: OpenFile) -> None:
        """Remember a short write."""
        short = None if looks_complete(action.call) else taken_in_part(action, file)
        if short is not None and short.size < _HUGE:
            self._short[file] = short

    @on_call(*UNLINKS, *FTRUNCATES)
    def undone(self, action: Action) -> None:
        """Forget short writes to a file that the program removes or truncates: the program has noticed."""
        if self._lost:
            self._lost = [lost for lost in self._lost if not undoes(action, lost.descriptor.file)]
        if self._short:
            for descriptor in action.process.table.open.values():
                if descriptor.file in self._short and undoes(action, descriptor.file):
                    del self._short[descriptor.file]

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """Judge when the process closes its last number for the description: the rest can no longer be written."""
        for descriptor in action.released if self._short else ():
            short = self._short.get(descriptor.file)
            if short is None or short.thread.process is not action.process:
                continue
            if any(holder.table is descriptor.table for holder in descriptor.file.holders):
                continue
            del self._short[descriptor.file]
            if _excused(descriptor.file, short, action.event) or action.kernel.elided > short.call.line:
                continue
            lost = _Lost(action.process, descriptor, short, action.event)
            if isinstance(action.event, Exit):
                yield from self._judged(lost)
            elif len(self._lost) < _KEPT:
                self._lost.append(lost)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge by the exit status and by messages on fd 2, which show whether the program noticed."""
        ours = [lost for lost in self._lost if lost.process.current is end.process]
        if ours:
            self._lost = [lost for lost in self._lost if lost.process.current is not end.process]
        for lost in (*ours, *self._unclosed(end)):
            yield from self._judged(lost)

    def _unclosed(self, end: ProcessEnd) -> Iterator[_Lost]:
        """Yield what is lost by an exit_group without a reported exit, and so without a release."""
        if end.exit is not None or end.event is None or not self._short:
            return
        for descriptor in end.held:
            short = self._short.get(descriptor.file)
            if short is not None and not _excused(descriptor.file, short, end.event):
                yield _Lost(end.process, descriptor, short, end.event)

    def _judged(self, lost: _Lost) -> Iterator[Finding]:
        process = lost.process
        status = process.status
        if not status and not _reported(lost):
            cut = status is None and self.scope.is_excerpt
            yield self._finding(lost, Confidence.LIKELY if cut else Confidence.CERTAIN)

    def _finding(self, lost: _Lost, confidence: Confidence) -> Finding:
        short, number = lost.short, lost.descriptor.number
        call, guess = short.call, confidence is Confidence.POSSIBLE
        title = (
            f"short write to {name(lost.descriptor)}: only {count(call.result or 0)} of {plural(short.size, 'byte')}"
            " were written and the rest was dropped"
        )
        return self.finding(
            _story(lost),
            object=describe(lost.descriptor),
            title=f"{title}, unless the next write begins with the rest" if guess else title,
            severity=Severity.WARNING if guess else Severity.ERROR,
            confidence=confidence,
            absent=[no(f"write of the remaining {plural(short.rest, 'byte')} to fd {number}", call, lost.after)],
            why="write may return fewer bytes than requested without an error: on a full disk, at a size limit, on a"
            " non-blocking pipe, after a signal, or above 2,147,479,552 bytes: write(2)",
            fix=_fix(lost.descriptor),
        )


def _keeps_order(file: OpenFile) -> bool:
    """Whether a file is a plain stream of bytes: sockets have a rule of their own, devices differ."""
    if file.socket is not None or file.kind in MESSAGES or file.kind is Kind.SOCKET:
        return False
    path = file.path or ""
    return not path.startswith(_OWN_WAYS) or path.startswith(_TERMINALS)


def _is_rest(short: Partial, call: Syscall) -> bool:
    """Whether a positioned write, or a write by another thread, writes the rest."""
    if call.name not in POSITIONED_WRITES or short.call.name not in POSITIONED_WRITES:
        return call.name not in POSITIONED_WRITES and elsewhere(short, call) is None
    before, now = short.call.number(3), call.number(3)
    return before is None or now is None or now == before + (short.call.result or 0)


def _excused(file: OpenFile, short: Partial, event: Event) -> bool:
    """Whether the rest had no reader, or was abandoned on purpose."""
    signal = short.thread.last_signal
    if signal is not None and signal.name == "SIGPIPE" and signal.line > short.call.line:
        return True
    broken = file.pipe is not None and file.pipe.pipe.broken is not None
    return broken or file.sent is not None or watches_for_room(file) or abandoned(short, event)


def _reported(lost: _Lost) -> bool:
    """Whether the process has reported it on fd 2."""
    said = said_by(lost.process, lost.short.call.line)
    if lost.descriptor.number == _STDERR or not said:
        return False
    opened = lost.descriptor.file.opened
    if opened is not None and said.names_object(opened) is not None:
        return True
    return said.says(*_WORDS) is not None


def _fix(descriptor: Descriptor) -> str:
    loop = f"write to fd {descriptor.number} in a loop, advancing past the bytes already written"
    if descriptor.file.flags.has("O_NONBLOCK"):
        return f"{loop}; on EAGAIN wait for POLLOUT, and close only after the last byte"
    return f"{loop}, until all bytes are written or write fails, and report the failure"


def _story(lost: _Lost) -> Iterator[Step]:
    short, after, number = lost.short, lost.after, lost.descriptor.number
    yield from birth(lost.descriptor)
    note = f"{short.call.name} returns {count(short.call.result or 0)}: {plural(short.rest, 'byte')} still to write"
    yield step(short.call, note, primary=True)
    if short.retried is not None:
        yield step(short.retried, "another attempt writes nothing")
    if isinstance(after, Exit) or (isinstance(after, Syscall) and after.name in _ENDS):
        yield step(after, f"the program ends, which closes fd {number}")
    elif isinstance(after, Syscall):
        writes = after.name in FILE_WRITES
        yield step(after, "the next write holds new data, not the rest" if writes else f"fd {number} is closed")

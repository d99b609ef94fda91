"""TD402: output that could not be written, and a process that exits with status 0."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import Complaint, meaning
from tracediag.evidence.paths import undoes
from tracediag.evidence.runs import Run
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.rules.file._failed_syncs import SYNCS, FailedSyncs
from tracediag.trace.calls import FILE_WRITES, FSYNCS, FTRUNCATES, POSITIONED_WRITES, RENAMES, UNLINKS
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit
from tracediag.trace.values import text_of

_WRITES = FILE_WRITES | POSITIONED_WRITES
_FLUSHES = FSYNCS | {"close"}
_STDERR = 2
_LOSSES_KEPT = 8
_NEXT = 8
"""Lines from a failure to its report: perror(3) makes three calls first."""


class _Loss(msgspec.Struct, eq=False):
    """Output to one description that failed, while the program has not yet shown that it noticed."""

    descriptor: Descriptor
    aftermath: Aftermath
    run: Run
    """The call that failed, and later failures of the same call."""

    @property
    def call(self) -> Syscall:
        """The call that failed."""
        return self.aftermath.call


class WriteErrorIgnored(Rule):
    """A write, fsync or close fails because of a full disk or a device error, and the process exits with status 0."""

    code = "TD402"
    name = "write-error-ignored"
    severity = Severity.ERROR
    summary = "output cannot be written, and the process exits with status 0 without an error message"
    rests_on = FILE_WRITES
    rests_on_successes = True

    def __init__(self) -> None:
        self._losing: Cases[Process, list[_Loss]] = Cases()
        """What each process has lost: all other processes are skipped."""
        self._syncs = FailedSyncs()
        """Followed as fsync-error-ignored does, to leave to it what it reports."""

    @on_errno("ENOSPC", "EDQUOT", "EIO")
    def failed(self, action: Action) -> None:
        """Remember output that failed; a second failure on the same description belongs to the first."""
        self._syncs.fail(action)
        call = action.call
        if call.name not in _WRITES and call.name not in _FLUSHES:
            return
        descriptor = action.descriptor or _meant(action)
        if descriptor is None or not _matters(descriptor, call):
            return
        losses = self._losing.get(action.process, [])
        known = next((loss for loss in losses if loss.descriptor.file is descriptor.file), None)
        if known is not None:
            if known.call.name == call.name:
                known.run.add(call)
        elif len(losses) < _LOSSES_KEPT:
            losses.append(_Loss(descriptor, Aftermath(action.process, call), Run(call, call)))
            self._losing.setdefault(action.process, losses)

    @on_call(*SYNCS)
    def synced(self, action: Action) -> None:
        """Note what fsync-error-ignored reports."""
        self._syncs.sync(action)

    @on_call(*RENAMES)
    def renamed(self, action: Action) -> None:
        """Note what fsync-error-ignored reports."""
        self._syncs.rename(action)

    @on_call(*FILE_WRITES, given="_losing")
    def wrote(self, action: Action) -> None:
        """Look for proof that the program noticed: a report of the error, or the same data written again."""
        call = action.call
        if action.process not in self._losing:
            return
        if call.result is not None and call.result > 0:
            losses = self._losing[action.process]
            for loss in losses:
                loss.aftermath.noticed = call if _reports(call, loss) else None
                loss.aftermath.retried = call if _repairs(action, loss) else None
            losses[:] = [loss for loss in losses if not loss.aftermath.settled]

    @on_call(*UNLINKS, *FTRUNCATES)
    def undone(self, action: Action) -> None:
        """Forget output that the program removes or truncates: the program has seen the error."""
        self._syncs.undo(action)
        if self._losing and action.process in self._losing:
            losses = self._losing[action.process]
            for loss in losses:
                loss.aftermath.undone = action.call if undoes(action, loss.descriptor.file) else None
            losses[:] = [loss for loss in losses if not loss.aftermath.settled]

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge by the exit status: with another status than 0 the caller learns of the loss."""
        process = end.process
        losses = self._losing.pop(process, ())
        self._syncs.end(process)
        if end.event is None or process.status != 0:
            return
        for loss in losses:
            if not loss.aftermath.ignored or (loss.call.name in FSYNCS and self._syncs.is_found(loss.descriptor.file)):
                continue
            # A recording without writes, or of failures only, would not show a message on fd 2.
            shown = loss.call.name in _WRITES and end.kernel.succeeded
            yield self._finding(loss, end.event, Confidence.CERTAIN if shown else Confidence.LIKELY)

    def _finding(self, loss: _Loss, end: Exit | Syscall, confidence: Confidence) -> Finding:
        call, number = loss.call, loss.descriptor.number
        error = meaning(call.errno or "")
        return self.finding(
            _story(loss, end),
            object=describe(loss.descriptor),
            title=f"{call.name} on {name(loss.descriptor)} fails ({error}), and the process exits with status 0",
            confidence=confidence,
            absent=[no(f"message about {call.errno}, no second attempt", call, end.line)],
            why="buffered output may fail only when flushed, often in fclose or at exit, and exit itself reports no"
            " such failure: fclose(3), exit(3), write(2)",
            fix=f"check the result of every write to fd {number}, and of fflush and fclose before exit; on"
            f" {call.errno} print the error on fd 2 and exit with a nonzero status",
        )


def _meant(action: Action) -> Descriptor | None:
    """Return the descriptor that a close has released, or that of a call that the model does not follow."""
    if action.released:
        return action.released[0]
    number = action.call.number(0)
    return None if number is None else action.process.table.get(number)


def _matters(descriptor: Descriptor, call: Syscall) -> bool:
    """Whether output is lost: not for fd 2, a closed terminal, or a kernel setting in /proc or /sys."""
    file = descriptor.file
    if descriptor.number == _STDERR or file.kind is Kind.SOCKET:
        return False
    path = file.path or ""
    if path.startswith(("/proc/", "/sys/", "/dev/pts/", "/dev/tty", "/dev/ptmx")):
        return False
    # EIO on a standard stream that is not known to be a file means that the terminal has hung up.
    return call.errno != "EIO" or descriptor.number > _STDERR or file.kind is Kind.FILE


def _reports(call: Syscall, loss: _Loss) -> bool:
    """Whether a write holds the text of the error, or on fd 2 the name of the file."""
    if call.line <= loss.call.line:
        return False
    said = Complaint((call,))
    if said.names_error(loss.call.errno or "") is not None:
        return True
    if call.number(0) != _STDERR:
        return False
    opened = loss.descriptor.file.opened
    by_name = opened is not None and said.names_object(opened) is not None
    # strace may have cut the text off before the error that it names.
    cut = call.line - loss.call.line <= _NEXT and any(piece.shortened for piece in said.pieces)
    return by_name or cut or said.says("error", "fail") is not None


def _repairs(action: Action, loss: _Loss) -> bool:
    """Whether a write to the same description writes the lost data again."""
    descriptor = action.descriptor
    if descriptor is None or descriptor.file is not loss.descriptor.file or loss.call.name != action.call.name:
        return False
    before, now = text_of(loss.call.arg(1)), text_of(action.call.arg(1))
    return before is not None and now is not None and before.data[:32] == now.data[:32]


def _story(loss: _Loss, end: Exit | Syscall) -> Iterator[Step]:
    call = loss.call
    yield from birth(loss.descriptor)
    lost = "the data is lost" if call.name in _WRITES else "data written earlier may be lost"
    yield loss.run.together(f"{call.name} fails with {call.errno}: {lost}", primary=True)
    yield step(end, "the process exits with status 0: the caller assumes that the output is complete")

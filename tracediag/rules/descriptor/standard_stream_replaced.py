"""TD311: messages for standard error go to a connection or a data file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from tracediag.evidence.complaints import Complaint, said_by
from tracediag.evidence.pieces import Piece
from tracediag.kernel.calls.transfer import asked
from tracediag.kernel.describe import describe, describe_file
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_process_end
from tracediag.rules.descriptor._payload import payload
from tracediag.trace.calls import ACCEPTS, FILE_WRITES, OPENS
from tracediag.trace.errnos import find_errno
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern

_STDOUT, _STDERR = 1, 2
_NAMES = {_STDOUT: "standard output", _STDERR: "standard error"}
_SOCKETS = ACCEPTS | {"socket"}
_FILES = OPENS | {"memfd_create"}
_MEANT = 8
"""Lines within which an open after a close redirects a stream on purpose: `close(1); open("out", ...)`."""
_FOR_MESSAGES = lazy_pattern(r"log|\.err\b|\.out\b|\bstd(?:err|out)\b|^/dev/|^/proc/", re.IGNORECASE)
"""Files that may be meant for messages."""


class StandardStreamReplaced(Rule):
    """1 or 2 is closed, a socket or data file is given the number, and messages for the user go there."""

    code = "TD311"
    name = "standard-stream-replaced"
    severity = Severity.ERROR
    summary = "a socket or data file is opened as fd 1 or 2, and messages for the user go there"

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the standard streams of a process at its end."""
        yield from _first(self._judged(end.process))

    def _judged(self, process: Process) -> Iterator[Finding]:
        found = [held for held in _replaced(process, _STDERR) if _by_chance(held)]
        for held in found:
            stray = _stray(process, held)
            if stray is not None:
                yield self._finding(held, *stray)
        # Without a message the number is only a trap; report the call that set it.
        for held in (*found, *(held for held in _replaced(process, _STDOUT) if _by_chance(held))):
            if held.copy_of is None and held.opened is not None:
                yield self._trap(held, held.opened)

    def _finding(self, held: Descriptor, message: Syscall, failed: Syscall | None) -> Finding:
        what = describe_file(held.file) or _kind(held)
        like_perror = failed is not None and _is_perror(message, failed)
        return self.finding(
            [
                *_story(held),
                *([] if failed is None else [step(failed, f"{failed.name} fails with {failed.errno}")]),
                step(message, f"the message goes to fd {_STDERR}, which is {_kind(held)}", primary=True),
            ],
            object=describe(held),
            title=f"a message for standard error goes to {what}, which has the number {_STDERR}",
            severity=Severity.WARNING if failed is None else Severity.ERROR,
            confidence=Confidence.CERTAIN if like_perror and held.opened is not None else Confidence.LIKELY,
            why=_WHY,
            fix=_fix(held),
            # The peer does not answer a message that is not a request.
            explains=[("peer-not-responding", message.line)],
        )

    def _trap(self, held: Descriptor, opened: Syscall) -> Finding:
        steps = [found for found in _story(held) if found.line != opened.line]
        note = f"{_kind(held)} is given the number {held.number}: output for {_NAMES[held.number]} goes there"
        return self.finding(
            [*steps, step(opened, note, primary=True)],
            object=describe(held),
            title=f"{describe_file(held.file) or _kind(held)} has the number of {_NAMES[held.number]}",
            severity=Severity.NOTE,
            why=_WHY,
            fix=_fix(held),
        )


_WHY = (
    "open, socket and accept return the lowest free number; after 0, 1 or 2 is closed they return that, and printf and"
    " perror still write to 1 and 2: stdin(3), open(2)"
)


def _fix(held: Descriptor) -> str:
    closed = _closed(held)
    if closed is not None:
        return (
            f"replace the close (line {closed.line}) by dup2 of /dev/null to fd {held.number}, so that it stays in use"
        )
    return (
        f"start the program with fd {held.number} open; or open /dev/null first until the number is above 2, and do not"
        " close 0, 1 or 2"
    )


def _first(findings: Iterator[Finding]) -> Iterator[Finding]:
    found = next(findings, None)
    if found is not None:
        yield found


def _replaced(process: Process, number: int) -> Iterator[Descriptor]:
    """Yield the last descriptor with a number, then those before it."""
    table = process.table
    held = table.open.get(number) or table.last_closed.get(number)
    while held is not None:
        yield held
        held = held.before


def _by_chance(held: Descriptor) -> bool:
    """Whether it is a socket or data file that was given the number by chance."""
    opened = held.opened
    if opened is None:
        return _is_data(held)
    if opened.name in _SOCKETS:
        return True
    if opened.name not in _FILES or held.file.flags.access == "O_RDONLY":
        return False
    path = held.file.path or ""
    return not _FOR_MESSAGES.search(path) and not _meant(held, opened)


def _is_data(held: Descriptor) -> bool:
    """Whether a stream that is older than the trace is a file of data: the program also reads from standard error."""
    file = held.file
    if held.number != _STDERR or file.got is None or file.written is None or file.terminal:
        return False
    return file.kind in (Kind.FILE, Kind.UNKNOWN) and not _FOR_MESSAGES.search(file.path or "")


def _meant(held: Descriptor, opened: Syscall) -> bool:
    """Whether the stream was closed to open this file in its place."""
    closed = _closed(held)
    return closed is not None and opened.line - closed.line <= _MEANT


def _closed(held: Descriptor) -> Syscall | None:
    """Return the close of the stream; None if the program itself had opened a file or socket with the number."""
    before = held.before
    if before is None or (before.opened is not None and before.opened.name in _SOCKETS | _FILES):
        return None
    return before.closed if isinstance(before.closed, Syscall) else None


def _stray(process: Process, held: Descriptor) -> tuple[Syscall, Syscall | None] | None:
    """Return a write to fd 2 that is a message for the user, and the failure that it reports, if any."""
    until = None if held.closed is None else held.closed.line
    said = said_by(process, 0 if held.opened is None else held.opened.line)
    writes = (call for call in said.calls if isinstance(call, Syscall) and call.name in FILE_WRITES)
    said = Complaint(tuple(call for call in writes if until is None or call.line < until))
    for failed in reversed(process.failures):
        message = said.after(failed.line).names_error(failed.errno or "")
        if isinstance(message, Syscall):
            return message, failed
    signed = next((piece.call for piece in said.pieces if _is_signed(process, piece)), None)
    return (signed, None) if isinstance(signed, Syscall) else None


def _is_signed(process: Process, piece: Piece) -> bool:
    """Whether a text begins with the name of the program, as error messages do."""
    name = posixpath.basename(process.program or "")
    return bool(name) and piece.text.startswith((f"{name}: ", f"{name}[", f"./{name}: "))


def _is_perror(message: Syscall, failed: Syscall) -> bool:
    """Whether a message is exactly what perror(3) writes, even if strace shows only its beginning."""
    known, shown = find_errno(failed.errno or ""), payload(message)
    if known is None or shown is None:
        return False
    before, _, text = shown.decode("utf-8", "replace").rpartition(": ")
    return f"{known.text}\n".startswith(text) and asked(message) == len(f"{before}: {known.text}\n")


def _story(held: Descriptor) -> Iterator[Step]:
    closed = _closed(held)
    if closed is not None:
        yield step(closed, f"fd {held.number}, {_NAMES[held.number]}, is closed")
    if held.opened is not None:
        yield step(held.opened, f"{_kind(held)} is given the number {held.number}")


def _kind(held: Descriptor) -> str:
    return "a socket" if held.opened is not None and held.opened.name not in _FILES else "a file"

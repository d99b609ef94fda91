"""TD311: what is written to the standard error lands in a connection or a data file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from tracediag.evidence.complaints import Complaint, Piece, said_by
from tracediag.kernel.calls.transfer import asked
from tracediag.kernel.describe import describe, describe_file
from tracediag.kernel.descriptor import PATHS, Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_process_end
from tracediag.rules.descriptor._payload import payload
from tracediag.trace.errnos import find_errno
from tracediag.trace.events import Syscall

_STDOUT, _STDERR = 1, 2
_NAMES = {_STDOUT: "standard output", _STDERR: "standard error"}
_SOCKETS = frozenset({"socket", "accept", "accept4"})
_FILES = frozenset({*PATHS, "memfd_create"})
_MEANT = 8
"""Lines within which an open after a close is the old way to redirect a stream: `close(1); open("out", ...)`."""
_FOR_MESSAGES = re.compile(r"log|\.err\b|\.out\b|\bstd(?:err|out)\b|^/dev/|^/proc/", re.IGNORECASE)
"""Files in which a program may well want to have its messages."""


class StandardStreamReplaced(Rule):
    """1 or 2 is closed, a socket or data file gets the number, and messages for the user go into it."""

    code = "TD311"
    name = "standard-stream-replaced"
    severity = Severity.ERROR
    summary = "a socket or data file has the number of the standard output or error: messages go into it"

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Look back from the end of a process."""
        yield from _first(self._judged(end.process))

    def _judged(self, process: Process) -> Iterator[Finding]:
        found = [held for held in _replaced(process, _STDERR) if _stands_in(held)]
        for held in found:
            stray = _stray(process, held)
            if stray is not None:
                yield self._finding(held, *stray)
        # Without a message the number alone is a trap that nobody has stepped into: who made it is told.
        for held in (*found, *(held for held in _replaced(process, _STDOUT) if _stands_in(held))):
            if held.copy_of is None and held.opened is not None:
                yield self._trap(held, held.opened)

    def _finding(self, held: Descriptor, message: Syscall, failed: Syscall | None) -> Finding:
        what = describe_file(held.file) or "what was opened"
        like_perror = failed is not None and _is_perror(message, failed)
        return self.finding(
            [
                *_story(held),
                *([] if failed is None else [step(failed, f"{failed.name} fails with {failed.errno}")]),
                step(message, f"the message is written to fd {_STDERR}, {_kind(held)} now", primary=True),
            ],
            object=describe(held),
            title=f"a message for the user goes into {what}",
            severity=Severity.WARNING if failed is None else Severity.ERROR,
            confidence=Confidence.CERTAIN if like_perror else Confidence.LIKELY,
            why=_WHY,
            fix=_fix(held),
            # Nobody answers to what is no request.
            explains=[("peer-not-responding", message.line)],
        )

    def _trap(self, held: Descriptor, opened: Syscall) -> Finding:
        steps = [found for found in _story(held) if found.line != opened.line]
        note = f"{_kind(held)} gets the number {held.number}: what is printed to the {_NAMES[held.number]} goes into it"
        return self.finding(
            [*steps, step(opened, note, primary=True)],
            object=describe(held),
            title=f"{describe_file(held.file) or opened.name} has the number of the {_NAMES[held.number]}",
            severity=Severity.NOTE,
            why=_WHY,
            fix=_fix(held),
        )


_WHY = (
    "open, socket and accept give the lowest free number: where 0, 1 or 2 is closed, the next descriptor gets it, and"
    " the C library and all that is linked in go on writing to 1 and 2: stdin(3), open(2)"
)


def _fix(held: Descriptor) -> str:
    closed = _closed(held)
    if closed is not None:
        return f"keep fd {held.number} open: put /dev/null there by dup2 in place of the close at line {closed.line}"
    return (
        f"open /dev/null at the start until the number is above 2, in case the program is started without fd"
        f" {held.number}; and put it there by dup2 instead of closing 0, 1 or 2"
    )


def _first(findings: Iterator[Finding]) -> Iterator[Finding]:
    found = next(findings, None)
    if found is not None:
        yield found


def _replaced(process: Process, number: int) -> Iterator[Descriptor]:
    """Yield what has had the number last, and what had it before that."""
    table = process.table
    held = table.open.get(number) or table.last_closed.get(number)
    while held is not None:
        yield held
        held = held.before


def _stands_in(held: Descriptor) -> bool:
    """Whether it is a socket or data file that has got the number by chance."""
    opened = held.opened
    if opened is None:
        return False
    if opened.name in _SOCKETS:
        return True
    if opened.name not in _FILES or held.file.flags.access == "O_RDONLY":
        return False
    path = held.file.path or ""
    return not _FOR_MESSAGES.search(path) and not _meant(held, opened)


def _meant(held: Descriptor, opened: Syscall) -> bool:
    """Whether the stream was closed to put just this file in its place."""
    closed = _closed(held)
    return closed is not None and opened.line - closed.line <= _MEANT


def _closed(held: Descriptor) -> Syscall | None:
    """Return the close of the stream; what the program had opened itself under the number before is none."""
    before = held.before
    if before is None or (before.opened is not None and before.opened.name in _SOCKETS | _FILES):
        return None
    return before.closed if isinstance(before.closed, Syscall) else None


def _stray(process: Process, held: Descriptor) -> tuple[Syscall, Syscall | None] | None:
    """Return a write to fd 2 that is a message for the user, and the failure that it speaks of."""
    assert held.opened is not None
    until = None if held.closed is None else held.closed.line
    writes = (call for call in said_by(process, held.opened.line).calls if call.name in ("write", "writev"))
    said = Complaint(tuple(call for call in writes if until is None or call.line < until))
    for failed in reversed(process.failures):
        message = said.after(failed.line).names_error(failed.errno or "")
        if message is not None:
            return message, failed
    signed = next((piece.call for piece in said.pieces if _is_signed(process, piece)), None)
    return None if signed is None else (signed, None)


def _is_signed(process: Process, piece: Piece) -> bool:
    """Whether a text begins with the name of the program, as messages do."""
    name = posixpath.basename(process.program or "")
    return bool(name) and piece.text.startswith((f"{name}: ", f"{name}[", f"./{name}: "))


def _is_perror(message: Syscall, failed: Syscall) -> bool:
    """Whether all that is written is what perror writes, also where strace shows only its beginning."""
    known, shown = find_errno(failed.errno or ""), payload(message)
    if known is None or shown is None:
        return False
    before, _, text = shown.decode("utf-8", "replace").rpartition(": ")
    return f"{known.text}\n".startswith(text) and asked(message) == len(f"{before}: {known.text}\n")


def _story(held: Descriptor) -> Iterator[Step]:
    closed = _closed(held)
    if closed is not None:
        yield step(closed, f"fd {held.number}, the {_NAMES[held.number]}, is closed")
    if held.opened is not None:
        yield step(held.opened, f"{_kind(held)} gets the number {held.number}")


def _kind(held: Descriptor) -> str:
    return "a file" if held.opened is not None and held.opened.name in _FILES else "a socket"

"""TD309: another program inherits a descriptor by mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action
from tracediag.kernel.describe import describe, describe_file
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.socket import format_address
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end, on_release
from tracediag.rules.descriptor._inheritance import Leak, is_named, leaks
from tracediag.trace.calls import CLOSES, CONTROLS, EXECS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import count
from tracediag.trace.records import Exit, Record

_KEPT = 64


class _Words(msgspec.Struct, frozen=True):
    """The words and severities of one kind of leak."""

    noun: str
    why: str
    alone: Severity | None
    """The severity while the owner has the descriptor open, too; None for no report."""
    outlived: Severity
    """The severity once only the other program has the descriptor open."""


class LeakedIntoExec(Rule):
    """Sockets, locks and secrets without FD_CLOEXEC at the execve of another program, which never uses them."""

    code = "TD309"
    name = "leaked-into-exec"
    severity = Severity.WARNING
    summary = "another program inherits a socket, a lock or a secret by mistake: FD_CLOEXEC is missing"
    rests_on = CLOSES | CONTROLS

    def __init__(self) -> None:
        self._leaks: list[Leak] = []
        self._leaked: Cases[OpenFile, None] = Cases()
        """What was leaked: `released` is to hear of its close."""
        self._locks: Cases[OpenFile, None] = Cases()
        """The files that are locked by flock: the lock belongs to the description."""

    @on_call("flock")
    def locked(self, action: Action) -> None:
        """Record locks; a lock that is refused may be held by the wrong program."""
        call = action.call
        held = action.process.table.get(call.number(0) or 0)
        if held is None:
            return
        if call.failed:
            path = held.file.path
            self._prove(action, lambda leak: leak.what == "lock" and leak.file.path == path)
        elif call.has("LOCK_UN"):
            self._locks.pop(held.file)
        else:
            self._locks[held.file] = None

    @on_errno("EADDRINUSE")
    def in_use(self, action: Action) -> None:
        """Check whether a leaked socket keeps the address in use."""
        if action.call.name == "bind" and self._leaks:
            wanted = format_address(action.call.arg(1))
            self._prove(action, lambda leak: leak.file.socket is not None and leak.file.socket.local == wanted)

    def _prove(self, action: Action, fits: Callable[[Leak], bool]) -> None:
        for leak in self._leaks:
            if leak.proof is None and leak.left is not None and leak.held and fits(leak):
                leak.proof = action.call

    @on_call(*EXECS)
    def executed(self, action: Action) -> None:
        """Find what the program inherits; a second execve may be the program that the descriptor is for."""
        process, call = action.process, action.call
        if call.result != 0 or not process.table.inherited:
            return
        if any(leak.process.current is process for leak in self._leaks):
            self._leaks = [
                leak for leak in self._leaks if leak.process.current is not process or not is_named(call, leak.number)
            ]
            return
        for leak in leaks(process, call, self._locks):
            if len(self._leaks) < _KEPT:
                self._leaked[leak.file] = None
                self._leaks.append(leak)

    @on_release
    def released(self, action: Action) -> None:
        """Note that the owner has closed a descriptor that the other program still has open."""
        if not self._leaks:
            return
        for descriptor in action.released:
            if descriptor.file not in self._leaked:
                continue
            for leak in self._leaks:
                if leak.owner is descriptor and leak.held:
                    leak.left = action.event

    @on_call("exit_group")
    def exits(self, action: Action) -> Iterator[Finding]:
        """Report what the other program has never used when it exits."""
        if self._leaks:
            yield from self._settled(action.process, action.event.line, lambda leak: leak.held)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report at a kill what was seen before, and at the end of the trace what a running program still has open."""
        if self._leaks:
            killed = end.exit is not None
            yield from self._settled(end.process, end.line, lambda leak: leak.left is not None if killed else leak.held)

    def _settled(self, process: Process, until: int, fits: Callable[[Leak], bool]) -> Iterator[Finding]:
        mine = [leak for leak in self._leaks if leak.process.current is process]
        self._leaks = [leak for leak in self._leaks if leak.process.current is not process]
        for leak in mine:
            severity = _severity(leak)
            if severity is not None and fits(leak) and leak.closes_are_shown and (leak.sure or leak.proof is not None):
                yield self._finding(leak, severity, until)

    def _finding(self, leak: Leak, severity: Severity, until: int) -> Finding:
        words, number, program = _WORDS[leak.what], leak.number, leak.process.program
        opener = "" if leak.owner.opened is None else leak.owner.opened.name
        more = f" and {count(leak.also)} more" if leak.also else ""
        return self.finding(
            [
                *birth(leak.owner),
                step(leak.call, f"{program} is executed and inherits {words.noun}", primary=True),
                *_consequence(leak),
            ],
            object=describe(leak.owner),
            title=f"{program} inherits {words.noun}: {describe_file(leak.file) or f'fd {number}'}{more}",
            severity=severity,
            confidence=Confidence.CERTAIN if leak.sure and leak.proof is not None else Confidence.LIKELY,
            absent=[no(f"FD_CLOEXEC on fd {number}, and no use or close of it by {program}", leak.call, until)],
            why=words.why,
            fix=_fix(opener, number),
            explains=[] if leak.proof is None else [(name, leak.proof.line) for name in _FOLLOWERS],
        )


def _severity(leak: Leak) -> Severity | None:
    words = _WORDS[leak.what]
    if leak.proof is not None:
        return Severity.ERROR
    if leak.left is None:
        runs = leak.process.exit_status is None and leak.process.exit is None
        return Severity.WARNING if words.alone is not None and runs else words.alone
    shut = leak.file.socket is not None and leak.file.socket.shut is not None
    return None if shut and leak.what == "connection" else words.outlived


def _consequence(leak: Leak) -> Iterator[Step]:
    if isinstance(leak.left, Syscall | Record):
        how = "exits" if isinstance(leak.left, Exit) else f"closes fd {leak.owner.number}"
        yield step(leak.left, f"the owner {how}, but {leak.process.program} still has fd {leak.number} open")
    if leak.proof is not None:
        yield step(
            leak.proof, f"{leak.proof.name} fails because {leak.process.program} still has fd {leak.number} open"
        )


_INHERITED = "fork and execve pass on every descriptor without FD_CLOEXEC"
_WORDS = {
    "listener": _Words(
        "a listening socket",
        f"{_INHERITED}; an address stays in use while any process has the socket open: execve(2), bind(2)",
        Severity.NOTE,
        Severity.WARNING,
    ),
    "connection": _Words(
        "a connection",
        f"{_INHERITED}; the peer sees the end of a connection only when the last is closed: execve(2), close(2)",
        None,
        Severity.WARNING,
    ),
    "lock": _Words(
        "a lock",
        f"{_INHERITED}; an flock lock is released only when the last of them is closed: execve(2), flock(2)",
        None,
        Severity.WARNING,
    ),
    "secret": _Words(
        "a file with secrets",
        f"{_INHERITED}; reading from one needs no permission on the file: execve(2), open(2)",
        Severity.NOTE,
        Severity.WARNING,
    ),
    "file": _Words(
        "a file open for writing",
        f"{_INHERITED}; a deleted file uses disk space while any process has it open: execve(2), unlink(2)",
        None,
        Severity.NOTE,
    ),
}
_FOLLOWERS = (
    "address-in-use",
    "lock-refused",
    "failed-call-behind-exit",
    "eagain-treated-as-error",
    "failing-call-spin",
)
_FLAGS = {
    "socket": "pass SOCK_CLOEXEC to socket",
    "accept": "replace accept by accept4 with SOCK_CLOEXEC",
    "accept4": "pass SOCK_CLOEXEC to accept4",
}


def _fix(opener: str, number: int) -> str:
    flag = _FLAGS.get(opener, f"pass O_CLOEXEC to {opener}")
    return f"{flag}, or close fd {number} in the child before execve (close_range(3, ~0U, 0) closes all above 2)"

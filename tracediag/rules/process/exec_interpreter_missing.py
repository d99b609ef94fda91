"""TD505: execve fails with ENOENT for a file that exists: its interpreter does not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from tracediag.evidence.complaints import said_by
from tracediag.evidence.exits import end_step
from tracediag.kernel import Action
from tracediag.kernel.descriptor import PATHS
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.trace.calls import ACCESSES, CHMODS, EXECS
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit, Message

_NAMED = ACCESSES | CHMODS
"""Calls that few programs make, and that succeed only on a file that exists."""
_KEPT = 8


class _Refused(msgspec.Struct, eq=False):
    """An execve that failed with ENOENT, and what shows that the file exists."""

    call: Syscall
    path: str
    process: Process
    proof: Message | None = None
    note: str = ""
    first: bool = False
    """Whether it is the first call of the trace: strace itself checked that the file exists."""


class ExecInterpreterMissing(Rule):
    """execve fails with ENOENT for a file that was opened, created or found: the loader or `#!` program is missing."""

    code = "TD505"
    name = "exec-interpreter-missing"
    severity = Severity.ERROR
    summary = "execve fails with ENOENT although the file exists: its ELF or #! interpreter is missing"

    def __init__(self) -> None:
        self._seen = False
        self._named: deque[tuple[str, Syscall]] = deque(maxlen=_KEPT)
        self._pending: deque[_Refused] = deque(maxlen=_KEPT)

    @on_call(*_NAMED)
    def named(self, action: Action) -> None:
        """Remember the last files that were looked up by name and found."""
        call = action.call
        if call.failed:
            return
        path = call.path(_place(call))
        if path is not None:
            self._named.append((path, call))
            self._found(action, path, "the file exists")

    @on_call(*EXECS)
    def executed(self, action: Action) -> None:
        """Note a first execve that succeeds: no later one is made by strace itself."""
        if not action.call.failed:
            self._seen = True
            for refused in [known for known in self._pending if known.process.current is action.process]:
                # A later directory of a search had it, or a shell runs the script itself.
                if refused.proof is None or refused.first:
                    self._pending.remove(refused)

    @on_errno("ENOENT", of=EXECS)
    def missed(self, action: Action) -> None:
        """Look for proof that the file of a failed execve exists."""
        call, process = action.call, action.process
        path = call.path(_place(call))
        first, self._seen = not self._seen and _is_first(action), True
        if path is None or "/" not in path:
            return
        name = path.rpartition("/")[2]
        for other in self._pending:
            if other.process.current is process and other.path != path and other.path.rpartition("/")[2] == name:
                other.first = first = False  # a search through PATH, pasted without its beginning
        refused = _Refused(call, path, process, first=first)
        refused.proof, refused.note = self._proof(process, path)
        self._pending.append(refused)

    def _proof(self, process: Process, path: str) -> tuple[Syscall | None, str]:
        for known, call in reversed(self._named):
            if known == path:
                return call, "the file exists"
        owner: Process | None = process
        plain = path.removeprefix("./")
        while owner is not None:
            for descriptor in (*owner.table.open.values(), *owner.table.last_closed.values()):
                opened = descriptor.opened
                # Unescaped, the path would be in the text: no need to parse.
                if opened is not None and (plain in opened.body or "\\" in opened.body) and _opened_as(opened, plain):
                    return opened, "the file exists: it is opened here"
            owner = owner.parent
        return None, ""

    def _found(self, action: Action, path: str, note: str) -> None:
        for refused in self._pending:
            if refused.proof is None and refused.process.current is action.process and refused.path == path:
                refused.proof, refused.note = action.call, note

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge by how the process ends."""
        yield from self._judged([known for known in self._pending if known.process.current is end.process], end.exit)

    def _judged(self, pending: Iterable[_Refused], end: Exit | None) -> Iterator[Finding]:
        for refused in pending:
            self._pending.remove(refused)
            if refused.proof is None:  # a shell opens the file that it could not execute
                refused.proof, refused.note = self._proof(refused.process, refused.path)
            if refused.proof is None:
                refused.proof, refused.note = _bash_says(refused), "bash found the file, but not its interpreter"
            if refused.proof is not None or (refused.first and _nothing_else(refused, end)):
                yield self._finding(refused, end)

    def _finding(self, refused: _Refused, end: Exit | None) -> Finding:
        path, call = refused.path, refused.call
        status = refused.process.exit_status if end is None else end.status
        known = refused.proof is not None or end is not None or status is not None
        return self.finding(
            _story(refused, end),
            object=path,
            title=f"cannot execute {path}: the file exists, but the interpreter (#! line or ELF loader) is missing",
            severity=Severity.ERROR if known and status != 0 else Severity.WARNING,
            confidence=_confidence(refused, known=known),
            why="execve also fails with ENOENT if the file exists but the program in its #! line, or the loader in its"
            " ELF header, does not: execve(2)",
            fix=f"show the interpreter: head -1 {path} | cat -A (^M at the end: DOS line endings), or readelf -l {path}"
            " (a 32-bit or musl program needs its own loader); then install or correct the interpreter",
            explains=[
                *(
                    (name, call.line)
                    for name in ("missing-file", "exec-failed", "failed-call-behind-exit", "failed-call")
                ),
                *([] if end is None else [("child-failure-behind", end.line)]),
            ],
        )


def _place(call: Syscall) -> int:
    """Return the place of the path among the arguments: a call with `at` in its name has a directory before it."""
    return 1 if "at" in call.name else 0


def _is_first(action: Action) -> bool:
    """Whether strace created this process, which has done nothing yet."""
    process = action.process
    return process.parent is None and process.execs == 0 and len(process.failures) == 1 and action.call.line <= 2


def _nothing_else(refused: _Refused, end: Exit | None) -> bool:
    """Whether it was the only attempt: a program that searches PATH makes several.

    strace up to 4.26 writes its own message from the process that it already traces, and exits with status 1.
    """
    last = [thread.last_call for thread in refused.process.threads]
    if refused.process.exit_status == 1 or (end is not None and end.status == 1):
        return not any(call is not None and call is not refused.call and call.name in EXECS for call in last)
    return not any(call is not refused.call for call in last)


def _bash_says(refused: _Refused) -> Message | None:
    """Return the message of a shell that read the first line of the script."""
    return said_by(refused.process, refused.call.line).says("bad interp")


def _confidence(refused: _Refused, *, known: bool) -> Confidence:
    if refused.proof is not None:
        return Confidence.CERTAIN
    return Confidence.LIKELY if known else Confidence.POSSIBLE


def _opened_as(opened: Syscall, plain: str) -> bool:
    # The path as the program gave it: what -y shows of the descriptor is absolute.
    given = opened.path(PATHS[opened.name]) if opened.name in PATHS else None
    return given is not None and given.removeprefix("./") == plain


def _story(refused: _Refused, end: Exit | None) -> Iterator[Step]:
    if refused.proof is not None:
        yield step(refused.proof, refused.note)
    note = f"ENOENT is about the interpreter, not about {refused.path}"
    if refused.first:
        note += ": strace checked the file before this execve"
    yield step(refused.call, note, primary=True)
    if end is not None:
        yield end_step(end)

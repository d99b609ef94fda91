"""TD304: a descriptor is used after its close."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.owners import last_owner
from tracediag.evidence.steps import birth
from tracediag.kernel import Action, describe
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.trace.calls import (
    CLOSES,
    EPOLL_CTLS,
    EXECS,
    FSTATS,
    REPLACES,
    SEEKS,
    SOCKET_LOOKS,
    WAITS,
)
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.values import names_of

_PROBES = frozenset({"F_GETFD", "F_GETFL", "F_SETFD"})
"""fcntl commands that ask whether a number is open, or set FD_CLOEXEC on all numbers: EBADF is an answer."""

_COPIES = frozenset({"F_DUPFD", "F_DUPFD_CLOEXEC"})
_SHELLS_OWN = 10
"""Where shells put what they save: a script may use the numbers below."""

_LOOKS = FSTATS | SEEKS | {"newfstatat", "ioctl"}
"""Calls that a C library makes on the standard streams, closed or not."""

_OTHERS = CLOSES | REPLACES | EPOLL_CTLS | WAITS
"""Calls that other rules judge, that ask whether a number is open, or that have no descriptor first."""

_DESCRIPTORS_AT = {
    "mmap": (4,),
    "mmap2": (4,),
    "sendfile": (0, 1),
    "sendfile64": (0, 1),
    "splice": (0, 2),
    "tee": (0, 1),
    "copy_file_range": (0, 2),
    "renameat": (0, 2),
    "renameat2": (0, 2),
    "linkat": (0, 2),
    "symlinkat": (1,),
    "io_submit": (),
}
"""Positions of the descriptors among the arguments, where not only the first."""

_STANDARD_STREAMS = 3


class UseAfterClose(Rule):
    """A call fails with EBADF on a number that the trace shows being closed."""

    code = "TD304"
    name = "use-after-close"
    severity = Severity.ERROR
    summary = "a descriptor is used after it was closed"

    def __init__(self) -> None:
        self._told: Cases[Descriptor, None] = Cases()
        self._looks: Cases[Process, list[Finding]] = Cases()
        """Findings about calls that only look at a descriptor: they cost nothing unless the process ends badly."""
        self._copies: Cases[Process, list[Finding]] = Cases()
        """Findings about copies of a parent's descriptors: they cost nothing if the process becomes another program."""

    @on_errno("EBADF")
    def refused(self, action: Action) -> Iterator[Finding]:
        """Find the close before a call that failed with EBADF."""
        call = action.call
        if call.name in _OTHERS or _asks_if_open(call):
            return
        for position in _DESCRIPTORS_AT.get(call.name, (0,)):
            gone = _closed(action, call.number(position))
            if gone is not None and gone not in self._told:
                self._told[gone] = None
                finding = self._finding(gone, call)
                if call.name in _LOOKS:
                    self._looks.setdefault(action.process, []).append(finding)
                elif self._is_copy(action, gone):
                    self._copies.setdefault(action.process, []).append(finding)
                else:
                    yield finding
                return

    @on_call(*EXECS)
    def executed(self, action: Action) -> Iterator[Finding]:
        """Another program replaces the one that had closed its copies: it misses nothing."""
        if action.call.result == 0:
            yield from map(_noted, self._copies.pop(action.process, None) or ())

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report what nothing has excused."""
        looks = self._looks.pop(end.process, None)
        if looks:
            yield from looks if end.process.ended_badly else map(_noted, looks)
        copies = self._copies.pop(end.process, None)
        if copies:
            yield from copies if self.scope.records(EXECS) else map(_noted, copies)

    def _is_copy(self, action: Action, gone: Descriptor) -> bool:
        """Whether the process closed a copy that it got, or may have got unseen, by fork from another process."""
        opened = gone.opened
        if opened is None:
            return self.scope.may_hold_copies(action.process)
        threads = {thread.tid for thread in action.process.threads}
        return opened.pid not in threads and bool(gone.file.holders)

    def _finding(self, gone: Descriptor, call: Syscall) -> Finding:
        number, close = gone.number, gone.closing or gone.closed
        assert isinstance(close, Begun | Syscall)
        by_exec = close.name.startswith("execve")
        other = close.pid != call.pid
        how = "closed by execve (FD_CLOEXEC)" if by_exec else f"closed{' by another thread' if other else ''}"
        return self.finding(
            [
                *birth(gone),
                step(close, f"fd {number} is {how}"),
                step(call, f"{call.name} fails: fd {number} is closed", primary=True),
            ],
            object=describe.describe(gone),
            title=_title(gone, call, other=other, by_exec=by_exec),
            severity=Severity.WARNING if by_exec or number < _STANDARD_STREAMS else Severity.ERROR,
            confidence=Confidence.LIKELY if by_exec else Confidence.CERTAIN,
            why="EBADF is the lucky case: once the next open reuses the number, the same call reaches an unrelated"
            " file or connection without an error: close(2), open(2)",
            fix=_fix(number, other=other, by_exec=by_exec),
        )


def _noted(finding: Finding) -> Finding:
    return msgspec.structs.replace(finding, severity=Severity.NOTE)


def _closed(action: Action, number: int | None) -> Descriptor | None:
    """Return the descriptor that had the number, if the trace shows its close."""
    gone = None if number is None or number < 0 else last_owner(action, number)
    if gone is None or not isinstance(gone.closing or gone.closed, Begun | Syscall):
        return None
    socket_wanted = action.call.name in SOCKET_LOOKS
    if socket_wanted and gone.file.kind not in (Kind.SOCKET, Kind.UNKNOWN):
        return None  # programs ask of every number whether it is a socket
    # C libraries make these calls on the standard streams whether they are open or not.
    return None if gone.number < _STANDARD_STREAMS and action.call.name in _LOOKS else gone


def _asks_if_open(call: Syscall) -> bool:
    """Whether an fcntl only asks whether a number is open, or is a shell that saves it before a redirection."""
    if not call.name.startswith("fcntl"):
        return False
    command = names_of(call.arg(1))
    return bool(command & _PROBES) or (bool(command & _COPIES) and call.number(2) == _SHELLS_OWN)


def _title(gone: Descriptor, call: Syscall, *, other: bool, by_exec: bool) -> str:
    how = "execve closed" if by_exec else "another thread closed" if other else "the close of"
    return f"{call.name} is called after {how} {describe.name(gone)}"


def _fix(number: int, *, other: bool, by_exec: bool) -> str:
    if by_exec:
        return f"if the new program needs fd {number}, clear FD_CLOEXEC before execve: fcntl({number}, F_SETFD, 0)"
    if other:
        return (
            f"stop the thread that uses fd {number} before the close: wake it with shutdown or an eventfd, join it,"
            " then close"
        )
    return f"close fd {number} after its last use, and set the variable to -1 with the close"

"""TD304: a number that is used after its close."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.owners import last_owner
from tracediag.evidence.steps import birth
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_errno
from tracediag.trace.calls import (
    CLOSES,
    EPOLL_CTLS,
    FSTATS,
    REPLACES,
    SEEKS,
    SOCKET_LOOKS,
    WAITS,
)
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.values import names_of

_PROBES = frozenset({"F_GETFD", "F_GETFL", "F_SETFD"})
"""fcntl commands by which programs ask whether a number is open, or mark all that might be: EBADF is an answer."""

_LOOKS = FSTATS | SEEKS | {"newfstatat", "ioctl"}
"""Calls by which a C library looks at the standard streams, closed or not."""

_OTHERS = CLOSES | REPLACES | EPOLL_CTLS | WAITS
"""Calls whose EBADF is another rule's, or a way to ask, or that do not begin with a descriptor."""

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
"""Where the descriptors of a call stand, if not in the first place alone."""

_STANDARD_STREAMS = 3


class UseAfterClose(Rule):
    """A call on a number after its close: EBADF, with the place where it was closed."""

    code = "TD304"
    name = "use-after-close"
    severity = Severity.ERROR
    summary = "a descriptor is used after it was closed"

    @on_errno("EBADF")
    def refused(self, action: Action) -> Iterator[Finding]:
        """Find the close that the program has forgotten."""
        call = action.call
        if call.name in _OTHERS or (call.name.startswith("fcntl") and names_of(call.arg(1)) & _PROBES):
            return
        for position in _DESCRIPTORS_AT.get(call.name, (0,)):
            gone = _closed(action, call.number(position))
            if gone is not None and self.name not in gone.memory:
                gone.memory[self.name] = True
                yield self._finding(gone, call)
                return

    def _finding(self, gone: Descriptor, call: Syscall) -> Finding:
        number, close = gone.number, gone.closing or gone.closed
        assert isinstance(close, Begun | Syscall)
        by_exec = close.name.startswith("execve")
        other = close.pid != call.pid
        how = "closed by execve, being close-on-exec" if by_exec else f"closed{', by another thread' if other else ''}"
        return self.finding(
            [
                *birth(gone),
                step(close, f"fd {number} is {how}"),
                step(call, f"{call.name} on the closed fd {number}", primary=True),
            ],
            object=describe(gone),
            title=f"a descriptor is used after {'another thread has closed it' if other else 'it was closed'}",
            severity=Severity.WARNING if by_exec or number < _STANDARD_STREAMS else Severity.ERROR,
            confidence=Confidence.LIKELY if by_exec else Confidence.CERTAIN,
            why="a closed number means nothing until the next open takes it, and then it means something else: EBADF is"
            " the lucky case, the next time the call may hit a stranger: close(2)",
            fix=_fix(number, other=other, by_exec=by_exec),
        )


def _closed(action: Action, number: int | None) -> Descriptor | None:
    """Return what had the number, if the trace shows its close."""
    gone = None if number is None or number < 0 else last_owner(action, number)
    if gone is None or not isinstance(gone.closing or gone.closed, Begun | Syscall):
        return None
    socket_wanted = action.call.name in SOCKET_LOOKS
    if socket_wanted and gone.file.kind not in (Kind.SOCKET, Kind.UNKNOWN):
        return None  # whether a number is a socket is asked of all numbers, whatever they were before
    # C libraries look at the standard streams whether they are open or not.
    return None if gone.number < _STANDARD_STREAMS and action.call.name in _LOOKS else gone


def _fix(number: int, *, other: bool, by_exec: bool) -> str:
    if by_exec:
        return f"clear FD_CLOEXEC before execve, if the new program is to have fd {number}: fcntl({number}, F_SETFD, 0)"
    if other:
        return (
            f"end the use of fd {number} before it is closed: wake the other thread by shutdown or an eventfd, join it,"
            " then close"
        )
    return f"find what still holds the number {number} after its close, and end that use before, or close later"

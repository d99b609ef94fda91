"""TD304: a number that is used after its close."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.events import Syscall
from tracediag.findings import Finding, Severity, step
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.rules.base import Rule, on_errno
from tracediag.rules.steps import birth
from tracediag.values import names_of

_PROBES = frozenset({"F_GETFD", "F_GETFL"})
"""fcntl commands by which programs ask whether a number is open: an answer, not a mistake."""

_OTHERS = frozenset({"close", "dup2", "dup3", "close_range", "epoll_ctl"})
"""Calls whose EBADF is another rule's (double-close, epoll-ctl-misuse), or a way to ask."""


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
        if call.name in _OTHERS or names_of(call.arg(1)) & _PROBES:
            return
        number = call.number(0)
        gone = None if number is None or number < 0 else action.process.table.last_closed.get(number)
        if gone is None or not isinstance(gone.closed, Syscall) or self.name in gone.memory:
            return
        gone.memory[self.name] = True
        yield self._finding(gone, gone.closed, call)

    def _finding(self, gone: Descriptor, close: Syscall, call: Syscall) -> Finding:
        number = gone.number
        return self.finding(
            [
                *birth(gone),
                step(close, f"fd {number} is closed"),
                step(call, f"{call.name} on the closed fd {number}", primary=True),
            ],
            object=describe(gone),
            title="a descriptor is used after it was closed",
            why="a closed number means nothing until the next open takes it, and then it means something else: EBADF is the"
            " lucky case, the next time the call may hit a stranger: close(2)",
            fix=f"find who still holds the number {number} after its close, and end that use before, or close later",
        )

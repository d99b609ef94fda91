"""TD112: epoll_ctl calls that the set refuses."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.events import Syscall
from tracediag.findings import Finding, Severity, Step, step
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.rules.base import Rule, on_call
from tracediag.values import names_of

_MEANINGS = {
    "EEXIST": ("fd {fd} is in the set already", "use EPOLL_CTL_MOD for fd {fd}, or keep count of what is registered"),
    "ENOENT": ("fd {fd} is not in the set", "use EPOLL_CTL_ADD for fd {fd}, or keep count of what is registered"),
    "EBADF": ("fd {fd} is not open", "call epoll_ctl for fd {fd} before it is closed"),
    "EINVAL": ("the set refuses fd {fd} with these events", "check events and descriptor against epoll_ctl(2)"),
    "ELOOP": ("the sets would watch each other in a circle", "do not nest epoll sets in a circle"),
    "EPERM": (
        "fd {fd} is a file that epoll does not take: a regular file or a directory",
        "leave fd {fd} out of the set: it is always ready",
    ),
}
_CURES = {"EEXIST": "EPOLL_CTL_MOD", "ENOENT": "EPOLL_CTL_ADD"}


class EpollCtlMisuse(Rule):
    """EEXIST, ENOENT, EBADF, EINVAL, ELOOP or EPERM from epoll_ctl, with what the set really held."""

    code = "TD112"
    name = "epoll-ctl-misuse"
    severity = Severity.WARNING
    summary = "epoll_ctl is refused: the program's idea of the set is wrong"

    def __init__(self) -> None:
        self._pending: dict[int | None, tuple[Syscall, Finding]] = {}

    @on_call("epoll_ctl")
    def controlled(self, action: Action) -> Iterator[Finding]:
        """Judge a refusal when the next epoll_ctl shows whether the program had reckoned with it."""
        call, tid = action.call, action.thread.tid
        before = self._pending.pop(tid, None)
        if before is not None and not _cured(before[0], call):
            yield before[1]
        if call.errno not in _MEANINGS:
            return
        finding = self._finding(action, call)
        if call.errno in _CURES:
            self._pending[tid] = (call, finding)
        else:
            yield finding

    @on_call("epoll_wait", "epoll_pwait", "epoll_pwait2")
    def waited(self, action: Action) -> Iterator[Finding]:
        """The program goes on without a second try."""
        before = self._pending.pop(action.thread.tid, None)
        if before is not None:
            yield before[1]

    def _finding(self, action: Action, call: Syscall) -> Finding:
        number = call.number(2)
        what, fix = (text.format(fd=number) for text in _MEANINGS[str(call.errno)])
        return self.finding(
            [*_history(action, call), step(call, what, primary=True)],
            object=f"fd {number}" if action.descriptor is None else describe(action.descriptor),
            title=f"epoll_ctl fails with {call.errno}: {what.replace(f'fd {number}', 'the descriptor')}",
            severity=Severity.NOTE if call.errno == "EPERM" else Severity.WARNING,
            why="epoll_ctl adds what is not in the set, and changes or removes what is: epoll_ctl(2), ERRORS",
            fix=fix,
        )


def _cured(failed: Syscall, call: Syscall) -> bool:
    """Whether the next call is the other operation on the same descriptor: a probe that was meant to fail."""
    return call.number(2) == failed.number(2) and _CURES[str(failed.errno)] in names_of(call.arg(1))


def _history(action: Action, call: Syscall) -> Iterator[Step]:
    """Yield what made the set what it is: the earlier add, the removal, or the close of the number."""
    number = call.number(2)
    entry = action.registration
    if entry is not None and entry.added is not None:
        yield step(entry.added, f"fd {number} is put into the set")
        return
    if number is None:
        return
    holder = action.process.table.open.get(call.number(0) or -1)
    removal = None if holder is None or holder.file.epoll is None else holder.file.epoll.removals.get(number)
    if removal is not None and removal is not call:
        yield step(removal, f"fd {number} is taken out of the set")
    gone: Descriptor | None = action.process.table.last_closed.get(number)
    if gone is not None and isinstance(gone.closed, Syscall):
        yield step(gone.closed, f"fd {number} is closed")

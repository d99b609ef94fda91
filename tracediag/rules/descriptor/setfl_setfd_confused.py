"""TD302: descriptor flags and status flags taken for each other."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.events import Syscall
from tracediag.findings import Finding, Severity, Step, step
from tracediag.kernel import Action
from tracediag.kernel.calls.control import status_flags
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.flags import ACCESS_MODES, canonical
from tracediag.rules.base import Rule, on_call
from tracediag.values import names_of, number_of

_GETFD = "TD302 F_GETFD"
_O_NONBLOCK = 0o4000


class SetflSetfdConfused(Rule):
    """F_GETFD's value in F_SETFL, F_SETFL with FD_CLOEXEC, F_SETFD with O_NONBLOCK."""

    code = "TD302"
    name = "setfl-setfd-confused"
    severity = Severity.WARNING
    summary = "descriptor flags (F_SETFD, FD_CLOEXEC) and status flags (F_SETFL, O_NONBLOCK) are taken for each other"

    @on_call("fcntl", "fcntl64")
    def controlled(self, action: Action) -> Iterator[Finding]:
        """Look at each use of the four commands on one descriptor."""
        descriptor, call = action.descriptor, action.call
        if descriptor is None or call.failed:
            return
        what = confusion(action)
        fetched: Syscall | None = descriptor.memory.get(_GETFD)
        _remember(descriptor, call)
        if what is not None:
            yield self._finding(action, descriptor, what, fetched)

    def _finding(self, action: Action, descriptor: Descriptor, what: str, fetched: Syscall | None) -> Finding:
        note, fix = _WORDS[what]
        before: list[Step] = []
        if what == "getfd" and fetched is not None:
            before = [step(fetched, "F_GETFD gives the descriptor flags (FD_CLOEXEC), not the status flags")]
        number = descriptor.number
        harm = _harm(action, what)
        return self.finding(
            [*before, step(action.call, note, primary=True)],
            object=describe(descriptor),
            title=f"descriptor flags and status flags are confused{harm}",
            severity=Severity.NOTE if what == "getfd" and not _lost(action) else Severity.WARNING,
            why="FD_CLOEXEC is a flag of the descriptor (F_GETFD, F_SETFD); O_NONBLOCK, O_APPEND and the access mode are flags"
            " of the open file description (F_GETFL, F_SETFL), and F_SETFL ignores the access mode: fcntl(2)",
            fix=fix.format(fd=number),
        )


_WORDS = {
    "getfd": (
        "F_SETFL with what F_GETFD gave: the access mode in it is not the descriptor's own",
        "use F_GETFL where F_GETFD stands: flags = fcntl({fd}, F_GETFL); fcntl({fd}, F_SETFL, flags | O_NONBLOCK)",
    ),
    "cloexec": (
        "F_SETFL with 1, which is FD_CLOEXEC: as a status flag it means O_WRONLY and is ignored",
        "set FD_CLOEXEC with fcntl({fd}, F_SETFD, FD_CLOEXEC), or open with O_CLOEXEC",
    ),
    "nonblock": (
        "F_SETFD with O_NONBLOCK: only FD_CLOEXEC means anything here, so the descriptor still blocks",
        "set O_NONBLOCK with F_SETFL: flags = fcntl({fd}, F_GETFL); fcntl({fd}, F_SETFL, flags | O_NONBLOCK)",
    ),
}


def confusion(action: Action) -> str | None:
    """Say which mistake an fcntl shows: "getfd", "cloexec", "nonblock", or None."""
    call, descriptor = action.call, action.descriptor
    commands = names_of(call.arg(1))
    if "F_SETFD" in commands:
        number = number_of(call.arg(2))
        names = names_of(call.arg(2))
        return "nonblock" if names & {"O_NONBLOCK", "O_NDELAY"} or (number or 0) & _O_NONBLOCK else None
    if "F_SETFL" not in commands or descriptor is None or action.change is None:
        return None
    given = canonical(status_flags(call.arg(2)))
    access = descriptor.file.flags.access
    if given in ({"O_WRONLY"}, {"FD_CLOEXEC"}) and access != "O_WRONLY" and action.change.fetched is None:
        return "cloexec"
    fetched: Syscall | None = descriptor.memory.get(_GETFD)
    wrong_mode = access in ("O_RDWR", "O_WRONLY") and given & ACCESS_MODES != {access}
    return "getfd" if fetched is not None and fetched.result == 0 and wrong_mode and action.change.fetched is None else None


def _remember(descriptor: Descriptor, call: Syscall) -> None:
    commands = names_of(call.arg(1))
    if "F_GETFD" in commands:
        descriptor.memory[_GETFD] = call
    elif commands & {"F_GETFL", "F_SETFL", "F_SETFD"}:
        descriptor.memory.pop(_GETFD, None)


def _lost(action: Action) -> bool:
    """Whether the change dropped a flag that was on."""
    change = action.change
    return change is not None and bool(change.on - canonical(status_flags(action.call.arg(2))))


def _harm(action: Action, what: str) -> str:
    if what != "getfd" or _lost(action):
        return ""
    return "; the kernel ignores the access mode, so it did no harm here"

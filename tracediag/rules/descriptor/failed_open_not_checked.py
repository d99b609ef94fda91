"""TD306: the result of a call that failed to make a descriptor is used as one."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.runs import Run
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.trace.events import Syscall

_MADE = "TD306 made"
"""On a process: the last socket that it has got."""

_MAKERS = frozenset(
    {"open", "openat", "openat2", "creat", "socket", "accept", "accept4", "dup", "epoll_create", "epoll_create1"}
    | {"eventfd", "eventfd2", "timerfd_create", "signalfd", "signalfd4", "memfd_create", "inotify_init"}
    | {"inotify_init1", "fanotify_init", "perf_event_open", "io_uring_setup", "pidfd_open", "mq_open", "bpf"}
)
_SILENT = frozenset({"close", "dup3", "close_range", "epoll_ctl", "poll", "ppoll", "select", "pselect6", "_newselect"})
"""Closing what was never opened does no harm; the others take -1 by right, or have rules of their own."""
_LOOKS = frozenset({"fcntl", "fcntl64", "fstat", "fstat64", "newfstatat", "ioctl", "lseek", "_llseek", "isatty"})
"""Calls that ask whether there is anything, and of what kind: the error is an answer."""
_SOCKET_CALLS = frozenset(
    {"bind", "connect", "listen", "accept", "accept4", "setsockopt", "send", "sendto", "sendmsg", "recv", "recvfrom"}
    | {"recvmsg", "shutdown"}
)
_MAPS = frozenset({"mmap", "mmap2", "old_mmap"})
_UNSIGNED = 1 << 32
_ERRORS = 4096
_NEAR = 4
"""Lines within which the failed call is the one that was meant."""
_FAR = 64
_KEPT = 4


class _Use(Run, kw_only=True):
    """Calls on the same number that is none."""

    number: int
    maker: Syscall | None
    """The call that should have made the descriptor: failed, or, for number 0, successful."""
    near: bool


class FailedOpenNotChecked(Rule):
    """A call on fd -1 after open, socket or accept failed; socket calls on fd 0 after `fd = socket(...) < 0`."""

    code = "TD306"
    name = "failed-open-not-checked"
    severity = Severity.WARNING
    summary = "what a failed open, socket or accept returned is used as a descriptor"

    @on_errno("EBADF")
    def refused(self, action: Action) -> None:
        """Take a call on a negative number."""
        call = action.call
        number = None if call.name in _SILENT else call.number(4 if call.name in _MAPS else 0)
        if number is None:
            return
        number = number - _UNSIGNED if _UNSIGNED - _ERRORS <= number < _UNSIGNED else number
        if -_ERRORS < number < 0:
            maker = _failed_maker(action.process, call)
            self._take(action, number, maker)

    @on_call("socket")
    def made(self, action: Action) -> None:
        """Remember the last socket: if its number is mistaken for 0, this is the one that was meant."""
        if not action.call.failed:
            action.process.memory[_MADE] = action.call

    @on_errno("ENOTSOCK")
    def no_socket(self, action: Action) -> None:
        """Take a socket call on number 0 or 1 where the program has just got a socket under another number."""
        call = action.call
        made: Syscall | None = action.process.memory.get(_MADE)
        number = call.number(0)
        if made is None or number not in (0, 1) or call.name not in _SOCKET_CALLS or made.pid != call.pid:
            return
        held = action.process.table.get(made.result or 0)
        # A socket that has been used under its own number was not lost.
        if held is not None and held.opened is made and held.file.socket is not None and _untouched(held.file.socket):
            self._take(action, number, made)

    def _take(self, action: Action, number: int, maker: Syscall | None) -> None:
        uses: dict[int, _Use] = action.process.memory.setdefault(self.name, {})
        key = 0 if maker is None else maker.line
        use = uses.get(key)
        if use is not None:
            use.add(action.call)
        elif len(uses) < _KEPT:
            near = maker is not None and action.call.line - maker.line <= _NEAR * min(4, len(action.process.threads))
            uses[key] = _Use(action.call, action.call, number=number, maker=maker, near=near)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report when it is known what became of the process."""
        process = end.process
        uses: dict[int, _Use] = process.memory.pop(self.name, {})
        for use in uses.values():
            yield self._finding(use, list(Aftermath(process, use.first).proof_steps()))

    def _finding(self, use: _Use, end: list[Step]) -> Finding:
        call, maker = use.first, use.maker
        return self.finding(
            [*_story(use), *end],
            object=f"fd {use.number}",
            title=_title(use),
            severity=_severity(use, bad=bool(end)),
            confidence=Confidence.CERTAIN if use.near else Confidence.LIKELY,
            why=_WHY_ZERO if use.number >= 0 else _WHY,
            fix=_fix(use, maker),
            explains=[
                (name, line)
                for line in {call.line, use.last.line}
                for name in ("failed-call-behind-exit", "failing-call-spin", "use-after-close")
            ],
        )


def _failed_maker(process: Process, call: Syscall) -> Syscall | None:
    """Return the last call before this one that should have made a descriptor and failed."""
    for failed in reversed(process.failures):
        if failed.name in _MAKERS and failed.line < call.line:
            # One far back was most likely somebody else's: programs try many paths that are not there.
            return failed if call.line - failed.line <= _FAR * min(4, len(process.threads)) else None
    return None


def _untouched(socket: object) -> bool:
    names = ("listening", "connected", "last_read", "last_write", "local", "peer")
    return all(getattr(socket, name) is None for name in names)


def _title(use: _Use) -> str:
    call, maker = use.first, use.maker
    if maker is None:
        return f"{call.name} is called on fd {use.number}, which is the mark of a call that failed"
    if use.number >= 0:
        return f"{call.name} is called on fd {use.number}, but the socket is fd {maker.result}"
    return f"{maker.name} fails with {maker.errno}, and its result {use.number} is used as a descriptor"


def _story(use: _Use) -> Iterator[Step]:
    maker, number = use.maker, use.number
    if maker is not None and number >= 0:
        yield step(maker, f"the socket is fd {maker.result}")
    elif maker is not None:
        yield step(maker, f"{maker.name} fails with {maker.errno}: there is no descriptor")
    what = "which is no socket" if number >= 0 else "which is no descriptor"
    yield step(use.first, f"{use.first.name} on fd {number}, {what}", primary=True)
    yield from use.again(f"and again on fd {number}")


def _severity(use: _Use, *, bad: bool) -> Severity:
    if use.first.name in _LOOKS:
        # It loses nothing: a bad end after it comes of the call that failed, which has a finding of its own.
        return Severity.WARNING if bad else Severity.NOTE
    return Severity.ERROR if bad else Severity.WARNING


_WHY = (
    "a call that fails to make a descriptor returns -1, and every call on that fails with EBADF: what was to be read or"
    " written is lost, and errno no longer names the cause: open(2), errno(3)"
)
_WHY_ZERO = (
    "in C the comparison binds tighter than the assignment, so `fd = socket(...) < 0` makes fd 0 when socket succeeds:"
    " fd 0 is the standard input, and a call for sockets on it fails with ENOTSOCK: operator(7), socket(7)"
)


def _fix(use: _Use, maker: Syscall | None) -> str:
    if use.number >= 0:
        return "set the parenthesis before the comparison, if ((fd = socket(...)) < 0), or see who has set fd to 0"
    if maker is None:
        return f"test what the call that should have made the descriptor returned, before {use.first.name}"
    return (
        f"test the result of {maker.name} before {use.first.name}: report {maker.errno} and stop, or go on without;"
        f" then remove the cause of {maker.errno} at line {maker.line}"
    )

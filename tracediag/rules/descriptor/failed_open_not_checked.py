"""TD306: the result of a call that failed to create a descriptor is used as a descriptor."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.cases import Cases
from tracediag.evidence.runs import Run
from tracediag.kernel import Action
from tracediag.kernel.descriptor import PATHS
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.trace.calls import (
    ACCEPTS,
    CLOSES,
    CONTROLS,
    EPOLL_CTLS,
    FSTATS,
    MAKERS,
    MAPS,
    PIPES,
    POLLS,
    REPLACES,
    SEEKS,
    SELECTS,
    SOCKET_SETUP,
    SOCKET_TRANSFERS,
)
from tracediag.trace.events import Syscall
from tracediag.trace.values import text_of

_MAKERS = MAKERS - PIPES - REPLACES - {"socketpair"} | {"bpf"}
"""Calls that return a new descriptor: not pipe and socketpair, which return 0, nor dup2, which is given the number."""
_SILENT = CLOSES | EPOLL_CTLS | POLLS | SELECTS | {"dup3"}
"""Closing -1 is harmless; the others accept -1 on purpose, or have rules of their own."""
_LOOKS = CONTROLS | FSTATS | SEEKS | {"newfstatat", "ioctl"}
"""Calls that ask whether a descriptor is open, and of what kind: the error is an answer."""
_SOCKET_CALLS = ACCEPTS | SOCKET_SETUP | SOCKET_TRANSFERS
_SETUP = frozenset({"listen", "bind", "connect"})
"""Calls of a program that takes the number for a socket; others may ask whether it is one."""
_UNSIGNED = 1 << 32
_ERRORS = 4096
_NEAR = 4
"""Lines within which the failed call is certainly the one whose result is used."""
_FAR = 64
_KEPT = 4


class _Use(Run, kw_only=True):
    """Calls on the same number that is not a descriptor."""

    number: int
    maker: Syscall | None
    """The call that should have created the descriptor: failed or, for number 0, successful."""
    near: bool
    marked: bool = False
    """Whether -1 marks a descriptor that the program had closed: the trace shows the program from its start, or how it
    ends well, and no failed call."""


class FailedOpenNotChecked(Rule):
    """Calls on fd -1 after open, socket or accept failed; socket calls on fd 0 after `fd = socket(...) < 0`."""

    code = "TD306"
    name = "failed-open-not-checked"
    severity = Severity.WARNING
    summary = "the -1 from a failed open, socket or accept is used as a descriptor"

    def __init__(self) -> None:
        self._created: Cases[Process, Syscall] = Cases()
        self._uses: Cases[Process, dict[int, _Use]] = Cases()

    @on_errno("EBADF")
    def refused(self, action: Action) -> None:
        """Record a call on a negative number."""
        call = action.call
        number = None if call.name in _SILENT else call.number(4 if call.name in MAPS else 0)
        if number is None:
            return
        number = number - _UNSIGNED if _UNSIGNED - _ERRORS <= number < _UNSIGNED else number
        if -_ERRORS < number < 0:
            maker = _failed_maker(action.process, call)
            self._record(action, number, maker)

    @on_call("socket")
    def created(self, action: Action) -> None:
        """Remember the latest socket: a socket call on fd 0 may be meant for it."""
        if not action.call.failed:
            self._created[action.process] = action.call

    @on_errno("ENOTSOCK")
    def no_socket(self, action: Action) -> None:
        """Record a socket call on number 0 or 1 if the program has just created a socket with another number."""
        call = action.call
        created = self._created.get(action.process)
        number = call.number(0)
        if number not in (0, 1) or call.name not in _SOCKET_CALLS:
            return
        if created is None and number == 0 and call.name in _SETUP and not action.process.table.executed:
            self._record(action, number, None)  # socket may have been called before the excerpt begins
        if created is None or created.pid != call.pid:
            return
        held = action.process.table.get(created.result or 0)
        # A socket that was used under its own number is not lost.
        if (
            held is not None
            and held.opened is created
            and held.file.socket is not None
            and _untouched(held.file.socket)
        ):
            self._record(action, number, created)

    def _record(self, action: Action, number: int, maker: Syscall | None) -> None:
        uses = self._uses.setdefault(action.process, {})
        key = number if maker is None else maker.line
        use = uses.get(key)
        if use is not None:
            use.add(action.call)
        elif len(uses) < _KEPT:
            near = maker is not None and action.call.line - maker.line <= _NEAR * _interleaved(action.process)
            marked = number < 0 and maker is None and action.process.table.executed
            uses[key] = _Use(action.call, action.call, number=number, maker=maker, near=near, marked=marked)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report when the end of the process is known."""
        process = end.process
        uses: dict[int, _Use] = self._uses.pop(process, {})
        for use in uses.values():
            if use.number >= 0 and use.maker is None and self.scope.starts:
                continue
            if use.number < 0 and use.maker is None and end.exit is not None and not process.ended_badly:
                use.marked = True  # no call is seen to have failed, and the program ends well
            yield self._finding(use, list(Aftermath(process, use.first).proof_steps()))

    def _finding(self, use: _Use, end: list[Step]) -> Finding:
        call, maker = use.first, use.maker
        return self.finding(
            [*_story(use), *end],
            object=f"fd {use.number}",
            title=_title(use),
            severity=_severity(use, bad=bool(end)),
            confidence=_confidence(use),
            why=_WHY_ZERO if use.number >= 0 else _WHY if maker is not None else _WHY_UNKNOWN,
            fix=_fix(use, maker),
            explains=[
                (name, line)
                for line in {call.line, use.last.line}
                for name in ("failed-call-behind-exit", "failing-call-spin", "use-after-close")
            ],
        )


def _failed_maker(process: Process, call: Syscall) -> Syscall | None:
    """Return the latest failed call before this one that should have created a descriptor."""
    for failed in reversed(process.failures):
        if failed.name in _MAKERS and failed.line < call.line:
            # A failure far back is most likely unrelated: programs try many paths that do not exist.
            return failed if call.line - failed.line <= _FAR * _interleaved(process) else None
    return None


def _interleaved(process: Process) -> int:
    """Return how many threads have lines among those of the caller, at most 4: strace need not follow all."""
    return max(1, min(4, sum(thread.appeared > 0 for thread in process.threads)))


def _untouched(socket: object) -> bool:
    names = ("listening", "connected", "last_read", "last_write", "local", "peer")
    return all(getattr(socket, name) is None for name in names)


def _title(use: _Use) -> str:
    call, maker = use.first, use.maker
    if maker is None and use.number >= 0:
        return f"{call.name} is called on fd {use.number}, which is no socket"
    if maker is None:
        return f"{call.name} is called on fd {use.number}, which is not a descriptor"
    if use.number >= 0:
        return f"{call.name} is called on fd {use.number}, but the socket is fd {maker.result}"
    path = text_of(maker.arg(PATHS[maker.name])) if maker.name in PATHS else None
    failed = maker.name if path is None else f"{maker.name} of {path}"
    return f"{call.name} is called on fd {use.number} after {failed} failed with {maker.errno}"


def _story(use: _Use) -> Iterator[Step]:
    maker, number = use.maker, use.number
    if maker is not None and number >= 0:
        yield step(maker, f"the socket is fd {maker.result}")
    elif maker is not None:
        yield step(maker, f"{maker.name} fails with {maker.errno} and creates no descriptor")
    what = "which is not a socket" if number >= 0 else "which is not a descriptor"
    yield step(use.first, f"{use.first.name} on fd {number}, {what}", primary=True)
    yield from use.again(f"another call on fd {number}")


def _confidence(use: _Use) -> Confidence:
    if use.number >= 0 and use.maker is None:
        return Confidence.POSSIBLE
    return Confidence.CERTAIN if use.near else Confidence.LIKELY


def _severity(use: _Use, *, bad: bool) -> Severity:
    if use.marked and not bad:
        return Severity.NOTE
    if use.first.name in _LOOKS:
        # Such a call loses nothing: a bad end comes from the failed open, which has a finding of its own.
        return Severity.WARNING if bad else Severity.NOTE
    return Severity.ERROR if bad else Severity.WARNING


_WHY = (
    "the call on -1 fails with EBADF and overwrites errno, so that a message printed after it hides the cause of the"
    " first failure: open(2), errno(3)"
)
_WHY_UNKNOWN = (
    "-1 is what open, socket and accept return when they fail, and what many programs store in place of a descriptor"
    " that they have closed: open(2), close(2)"
)
_WHY_ZERO = (
    "in C, comparison binds tighter than assignment: `fd = socket(...) < 0` sets fd to 0, the standard input, when"
    " socket succeeds: operator(7)"
)


def _fix(use: _Use, maker: Syscall | None) -> str:
    if use.number >= 0:
        return (
            "close the parenthesis before the comparison: if ((fd = socket(...)) < 0); or find what else sets fd to 0"
        )
    if use.marked:
        return f"test for {use.number} before {use.first.name}: the program has closed the descriptor that it means"
    if maker is None:
        return (
            f"check the result of the call that should create the descriptor before {use.first.name}; if the program"
            f" sets it to {use.number} after close, test for that"
        )
    return (
        f"check that {maker.name} did not return -1 before {use.first.name}, and report the error there; then fix"
        f" {maker.errno} (line {maker.line})"
    )

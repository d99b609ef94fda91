"""TD518: a call that fails the same way, again and again, without a wait between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from tracediag.evidence.complaints import meaning, target
from tracediag.evidence.steps import last_line, no, plural, repeated
from tracediag.kernel import Action, Kernel
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_exit, on_trace_end
from tracediag.trace.calls import EPOLL_WAITS, POLLS, SELECTS
from tracediag.trace.errnos import all_errors
from tracediag.trace.events import Syscall

_WAITS = ("nanosleep", "clock_nanosleep", *EPOLL_WAITS, *POLLS, *SELECTS, "pause", "rt_sigsuspend", "rt_sigtimedwait")
_ERRORS = tuple(
    error.name
    for error in all_errors()
    if error.number < 512 and error.name not in ("EINPROGRESS", "ENODATA", "ECHILD")
)
_OWN_RULES = {
    "EAGAIN": frozenset({"futex", "read", "readv", "recv", "recvfrom", "recvmsg", "write", "writev", "send", "sendto"}),
    "ETIMEDOUT": frozenset({"futex"}),
    "EMFILE": frozenset({"accept", "accept4"}),
    "ENFILE": frozenset({"accept", "accept4"}),
    "ENOTTY": frozenset({"ioctl"}),
    "ESPIPE": frozenset({"lseek"}),
}
"""What other rules tell better, or what is no failure."""

_CYCLE = 6
"""Lines of a turn, at most: what goes on with other work between is no spin."""
_STORM = 50
_TRIES = 3
"""Turns that make an excerpt."""
_PERIOD = 0.005
"""Seconds between two turns, on average: more is a pause, whoever makes it."""


class _Run(msgspec.Struct, eq=False):
    """Failures of one thread that are all the same."""

    first: Syscall
    last: Syscall
    times: int
    waited: bool = False


class FailingCallSpin(Rule):
    """One call, made over and over without a wait, fails the same way each time."""

    code = "TD518"
    name = "failing-call-spin"
    severity = Severity.ERROR
    summary = "a call fails the same way over and over, without progress and without a wait"

    def __init__(self) -> None:
        self._last: dict[int | None, tuple[Syscall, Syscall | None]] = {}
        """The last two failures of each thread: a turn may hold a second call that fails."""
        self._runs: dict[int | None, _Run] = {}

    @on_errno(*_ERRORS)
    def failed(self, action: Action) -> Iterable[Finding] | None:
        """Count the failure, if it is the same as one of the last two of this thread and close behind it."""
        call = action.call
        tid = action.thread.tid
        before, earlier = self._last.get(tid, _NOTHING)
        self._last[tid] = (call, before)
        run = self._runs.get(tid)
        if run is None:
            name, errno, body = call.name, call.errno, call.body
            for other in (before, earlier):
                if other is None or other.name != name or other.errno != errno:
                    continue
                if other.body == body or body[:1].isdigit():
                    break
            else:
                return None  # nearly always: a search along a path
        return self._counted(action, run, (before, earlier))

    def _counted(
        self, action: Action, run: _Run | None, others: tuple[Syscall | None, Syscall | None]
    ) -> Iterable[Finding] | None:
        call, tid = action.call, action.thread.tid
        if run is not None and _alike(run.last, call):
            if not run.waited and call.line - run.last.line <= _CYCLE * _voices(action):
                run.times += 1
                run.last = call
                return None
        elif run is not None and call.line - run.last.line < _CYCLE:
            return None
        for other in others:
            if other is not None and _alike(other, call) and call.line - other.line <= _CYCLE * _voices(action):
                self._runs[tid] = _Run(other, call, 2)
                break
        else:
            self._runs.pop(tid, None)
        return None if run is None or run.waited else self._told(run, action.kernel)

    @on_call(*_WAITS)
    def waited(self, action: Action) -> Iterator[Finding]:
        """A wait between the attempts makes it polling, which is another matter."""
        self._last.pop(action.thread.tid, None)
        run = self._runs.get(action.thread.tid)
        if run is not None and not run.waited:
            run.waited = True
            yield from self._told(run, action.kernel)

    @on_exit
    def exited(self, action: Action) -> Iterator[Finding]:
        """The thread has ended, and its spin with it."""
        self._last.pop(action.thread.tid, None)
        run = self._runs.pop(action.thread.tid, None)
        if run is not None and not run.waited:
            yield from self._told(run, action.kernel)

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Tell of those that go on to the end of the trace; in an excerpt a few turns stand for many."""
        for run in self._runs.values():
            if run.waited:
                continue
            yield from self._told(run, kernel)
            if self.scope.is_excerpt and run.times >= _TRIES and last_line(kernel) - run.last.line <= 2:
                yield self._finding(run, Confidence.POSSIBLE)

    def _told(self, run: _Run, kernel: Kernel) -> Iterator[Finding]:
        if run.times >= _STORM and not _slow(run):
            # A recording of failures only shows neither what succeeds between them nor any wait.
            yield self._finding(run, Confidence.CERTAIN if kernel.succeeded else Confidence.LIKELY)

    def _finding(self, run: _Run, confidence: Confidence) -> Finding:
        call = run.first
        path = target(call)
        what = f"{call.name}{f' of {path}' if path else ''}"
        again = ", if this repeats" if confidence is Confidence.POSSIBLE else ""
        steps = [step(call, f"{call.name} fails: {meaning(call.errno or '')}", primary=True)]
        if run.times > 1:
            steps.append(_again(run))
        return self.finding(
            steps,
            object=f"fd {call.number(0)}" if path is None and (call.number(0) or -1) >= 0 else what,
            title=f"{what} fails {plural(run.times, 'time')} in the same way, at once again each time{again}",
            confidence=confidence,
            absent=[no("wait or sleep between the attempts", run.first, run.last)],
            why=f"nothing changes between two attempts, so the call cannot but fail with {call.errno} again, and"
            " the loop takes a whole processor: errno(3)",
            fix=_fix(call),
        )


def _again(run: _Run) -> Step:
    return repeated(run.last, "it fails again in the same way", 1, run.last.line)


_NOTHING: tuple[None, None] = (None, None)
_BY_PATH = ("at", "at2", "at64", "statx", "inotify_add_watch")
"""How the names of calls end that take a path behind a descriptor: with another path it is another thing."""


def _alike(one: Syscall | None, other: Syscall) -> bool:
    """Whether two failures are the same: the same error of the same call on the same thing.

    The thing, as recorded, is the descriptor, with a path that counts from it, or else all of the arguments.
    """
    if one is None or one.name != other.name or one.errno != other.errno:
        return False
    mine, its = one.body, other.body
    end = '",' if one.name.endswith(_BY_PATH) else ","
    if mine != its:
        whole = not mine[:1].isdigit() or one.name == "epoll_ctl"
        if whole or mine.partition(end)[0] != its.partition(end)[0]:
            return False
    return one.name not in _OWN_RULES.get(one.errno or "", ())


def _voices(action: Action) -> int:
    """Return how many threads may speak between two lines of one."""
    return min(8, len(action.kernel.process_table.threads))


def _slow(run: _Run) -> bool:
    first, last = run.first.time, run.last.time
    return first is not None and last is not None and last - first > run.times * _PERIOD


def _fix(call: Syscall) -> str:
    if call.errno in ("EBADF", "ENOTCONN", "EIO", "EPIPE", "ECONNRESET", "EINVAL", "ENOTSOCK", "ESTALE"):
        return f"take {call.errno} as the end: leave the loop, close the descriptor, open it anew where that helps"
    return f"leave the loop on {call.errno}, or wait (poll, inotify, a pause that grows) before the next attempt"

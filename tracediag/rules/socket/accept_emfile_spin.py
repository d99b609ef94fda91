"""TD204: a server at its descriptor limit that asks accept over and over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracediag.evidence.steps import plural, repeated
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Round
from tracediag.kernel.process import Process, Thread
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_release, on_round, on_trace_end
from tracediag.rules.loop import SLOW, SURE, WORTH_A_WORD, is_idle
from tracediag.trace.events import Syscall

_ACCEPTS = ("accept", "accept4")
_NAPS = ("nanosleep", "clock_nanosleep", "clock_nanosleep_time64")


@dataclass(slots=True)
class _Spin:
    """Accepts of one listener that fail in a row, with nothing between them that could have helped."""

    descriptor: Descriptor
    thread: Thread
    wait: Syscall | None
    first: Syscall
    last: Syscall
    second: Syscall | None = None
    times: int = 1

    def take(self, call: Syscall) -> None:
        """Count one more."""
        self.times += 1
        self.second = self.second or call
        self.last = call

    @property
    def slow(self) -> bool:
        """Whether they are too far apart for a spin; False where the trace has no times."""
        if self.first.time is None or self.last.time is None or self.times < 2:
            return False
        return (self.last.time - self.first.time) / (self.times - 1) > SLOW


class AcceptEmfileSpin(Rule):
    """accept = EMFILE or ENFILE again and again: the connection stays in the backlog, the listener stays ready."""

    code = "TD204"
    name = "accept-emfile-spin"
    severity = Severity.ERROR
    summary = "accept fails at the descriptor limit and is called again at once: the loop spins and serves nobody"

    def __init__(self) -> None:
        self._spins: dict[int, _Spin] = {}

    @on_errno("EMFILE", "ENFILE")
    def failed(self, action: Action) -> None:
        """Count the failures of each listener."""
        call, listener = action.call, action.descriptor
        if call.name not in _ACCEPTS or listener is None:
            return
        spin = self._spins.get(id(listener.file))
        if spin is not None:
            spin.take(call)
            return
        listener.memory[self.name] = True
        wait = _reported(action.thread, listener)
        self._spins[id(listener.file)] = _Spin(listener, action.thread, wait, call, call)

    @on_call(*_ACCEPTS)
    def accepted(self, action: Action) -> Iterator[Finding]:
        """A connection is taken, or none is left: the spin is over."""
        if self._spins and action.descriptor is not None and action.call.errno not in ("EMFILE", "ENFILE"):
            yield from self._over(self._spins.get(id(action.descriptor.file)))

    @on_call(*_NAPS)
    def rested(self, action: Action) -> Iterator[Finding]:
        """A pause between two attempts is a back-off."""
        for spin in [spin for spin in self._spins.values() if spin.thread is action.thread]:
            yield from self._over(spin)

    @on_call("epoll_ctl")
    def paused(self, action: Action) -> Iterator[Finding]:
        """The listener is taken out of the set, or its interest changed."""
        if self._spins and action.registration is not None:
            yield from self._over(self._spins.get(id(action.registration.file)))

    @on_round
    def turned(self, action: Action) -> Iterator[Finding]:
        """A wait that came back with nothing shows that the loop has rested."""
        turn = action.finished
        if self._spins and turn is not None and is_idle(turn):
            for spin in [spin for spin in self._spins.values() if spin.thread is action.thread]:
                yield from self._over(spin)

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The listener is closed."""
        for descriptor in action.released:
            yield from self._over(self._spins.get(id(descriptor.file)))

    @on_trace_end
    def ended(self, _: Kernel) -> Iterator[Finding]:
        """What still spins where the trace ends; in an excerpt one failure may stand for many."""
        excerpt = self.scope.is_excerpt
        for spin in list(self._spins.values()):
            yield from self._over(spin, excerpt=excerpt)

    def _over(self, spin: _Spin | None, *, excerpt: bool = False) -> Iterator[Finding]:
        if spin is None:
            return
        del self._spins[id(spin.descriptor.file)]
        if spin.times >= WORTH_A_WORD and not spin.slow:
            yield self._finding(spin, Confidence.CERTAIN if spin.times >= SURE else Confidence.LIKELY)
        elif excerpt and not spin.slow:
            yield self._finding(spin, Confidence.POSSIBLE)

    def _finding(self, spin: _Spin, confidence: Confidence) -> Finding:
        number, error = spin.descriptor.number, spin.first.errno
        guess = confidence is Confidence.POSSIBLE
        title = f"the server spins on accept = {error}: the connection stays in the backlog and the listener ready"
        limit = _limit(spin.thread.process) if error == "EMFILE" else ""
        return self.finding(
            _story(spin),
            object=describe(spin.descriptor),
            title=f"if this repeats, {title}" if guess else title,
            severity=Severity.WARNING if guess else Severity.ERROR,
            confidence=confidence,
            why="accept that fails for want of a descriptor leaves the connection in the backlog, so the listener is"
            " still ready and a wait or another accept returns at once: accept(2), epoll(7)",
            fix=f"on {error} stop watching fd {number} until a descriptor is closed, or close one kept in reserve,"
            f" accept, close, and open it again; then close idle connections or raise the limit{limit}",
            explains=[
                ("failing-call-spin", spin.first.line),
                ("accept-error-ends-server", spin.last.line),
                *((("ready-not-served-spin", spin.wait.line),) if spin.wait is not None else ()),
            ],
        )


def _reported(thread: Thread, listener: Descriptor) -> Syscall | None:
    """Return the wait that the thread was woken from, as far as it may have been for this listener."""
    turns: list[Round] = list(thread.rounds.values())
    for turn in turns:
        if any(report.descriptor is listener for report in turn.reports):
            return turn.wait
    return next((turn.wait for turn in turns if turn.reports), None)


def _limit(process: Process) -> str:
    limit = process.limits.get("RLIMIT_NOFILE")
    held = plural(len(process.table.open) + len(process.table.inherited), "descriptor")
    if limit is None or limit.soft is None:
        return " (ulimit -n)"
    return f" (RLIMIT_NOFILE is {limit.soft}; {held} open, as far as the trace shows)"


def _story(spin: _Spin) -> Iterator[Step]:
    number, error = spin.descriptor.number, spin.first.errno
    socket = spin.descriptor.file.socket
    if socket is not None and socket.listening is not None:
        yield step(socket.listening, f"fd {number} listens")
    if spin.wait is not None:
        yield step(spin.wait, f"woken: a connection waits at fd {number}")
    scope = "the process" if error == "EMFILE" else "the system"
    yield step(spin.first, f"{scope} has no descriptor left for it: it stays in the backlog", primary=True)
    if spin.second is not None:
        yield repeated(spin.second, "the same again: nothing has been done about it", spin.times - 1, spin.last.line)

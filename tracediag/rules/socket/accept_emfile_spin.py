"""TD204: a server at its descriptor limit that asks accept over and over."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.runs import LOOP, Run, severity_of
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Round
from tracediag.kernel.process import Process, Thread
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import on_call, on_errno, on_release, on_round
from tracediag.rules.loop import LoopRule
from tracediag.trace.calls import ACCEPTS, SLEEPS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import plural


class _Failures(Run, kw_only=True):
    """Accepts of one listener that fail in a row, with nothing between them that could have helped."""

    descriptor: Descriptor
    thread: Thread
    wait: Syscall | None


class AcceptEmfileSpin(LoopRule[_Failures]):
    """accept = EMFILE or ENFILE again and again: the connection stays in the backlog, the listener stays ready."""

    code = "TD204"
    name = "accept-emfile-spin"
    severity = Severity.ERROR
    bounds = LOOP
    summary = "accept fails at the descriptor limit and is called again at once: the loop spins and serves nobody"

    @on_errno("EMFILE", "ENFILE", of=ACCEPTS)
    def failed(self, action: Action) -> None:
        """Count the failures of each listener."""
        call, listener = action.call, action.descriptor
        if listener is None:
            return
        run = self.run(listener.file)
        if run is not None:
            run.add(call)
            return
        listener.memory[self.name] = True
        wait = _reported(action.thread, listener)
        made = _Failures(call, call, descriptor=listener, thread=action.thread, wait=wait)
        self.begin(made, listener.file)

    @on_call(*ACCEPTS)
    def accepted(self, action: Action) -> Iterator[Finding]:
        """A connection is taken, or none is left: the spin is over."""
        if self._runs and action.descriptor is not None and action.call.errno not in ("EMFILE", "ENFILE"):
            yield from self.over(action.event, action.descriptor.file)

    @on_call(*SLEEPS)
    def rested(self, action: Action) -> Iterator[Finding]:
        """A pause between two attempts is a back-off."""
        yield from self._rested(action)

    @on_call("epoll_ctl")
    def paused(self, action: Action) -> Iterator[Finding]:
        """The listener is taken out of the set, or its interest changed."""
        if self._runs and action.registration is not None:
            yield from self.over(action.event, action.registration.file)

    @on_round
    def turned(self, action: Action) -> Iterator[Finding]:
        """A wait that came back with nothing shows that the loop has rested."""
        if self._runs and action.finished is not None and action.finished.wait.result == 0:
            yield from self._rested(action)

    def _rested(self, action: Action) -> Iterator[Finding]:
        for file, _, run in self.runs():
            if run.thread is action.thread:
                yield from self.over(action.event, file)

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The listener is closed."""
        for descriptor in action.released if self._runs else ():
            yield from self.over(action.event, descriptor.file)

    def tell(self, spin: _Failures, sure: Confidence) -> Finding:
        """Make the finding."""
        number, error = spin.descriptor.number, spin.first.errno
        title = f"the server spins on accept = {error}: the connection stays in the backlog and the listener ready"
        limit = _limit(spin.thread.process) if error == "EMFILE" else ""
        return self.finding(
            _story(spin),
            object=describe(spin.descriptor),
            title=self.bounds.title(spin.times, title),
            severity=severity_of(sure),
            confidence=sure,
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
    held = plural(process.table.count, "descriptor")
    if limit is None or limit.soft is None:
        return " (ulimit -n)"
    return f" (RLIMIT_NOFILE is {limit.soft}; {held} open, as far as the trace shows)"


def _story(spin: _Failures) -> Iterator[Step]:
    number, error = spin.descriptor.number, spin.first.errno
    socket = spin.descriptor.file.socket
    if socket is not None and socket.listening is not None:
        yield step(socket.listening, f"fd {number} listens")
    if spin.wait is not None:
        yield step(spin.wait, f"woken: a connection waits at fd {number}")
    scope = "the process" if error == "EMFILE" else "the system"
    yield step(spin.first, f"{scope} has no descriptor left for it: it stays in the backlog", primary=True)
    yield from spin.again("the same again: nothing has been done about it")

"""TD204: a server at its descriptor limit that calls accept in a busy loop."""

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
from tracediag.rules.socket._names import listens_on
from tracediag.trace.calls import ACCEPTS, SLEEPS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import plural


class _Failures(Run, kw_only=True):
    """Accepts of one listener that fail in a row, with nothing between them that frees a descriptor."""

    descriptor: Descriptor
    thread: Thread
    wait: Syscall | None


class AcceptEmfileSpin(LoopRule[_Failures]):
    """accept = EMFILE or ENFILE again and again: the connection stays queued, the listener stays readable."""

    code = "TD204"
    name = "accept-emfile-spin"
    severity = Severity.ERROR
    bounds = LOOP
    rests_on_successes = True
    summary = "accept fails at the descriptor limit in a busy loop: it uses a whole CPU and serves no client"

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
        wait = _reported(action.thread, listener)
        made = _Failures(call, call, descriptor=listener, thread=action.thread, wait=wait)
        self.begin(made, listener.file)

    @on_call(*ACCEPTS)
    def accepted(self, action: Action) -> Iterator[Finding]:
        """A connection is accepted, or none is left: the spin ends."""
        call = action.call
        if self._runs and action.descriptor is not None and call.returned and call.errno not in ("EMFILE", "ENFILE"):
            yield from self.over(action.event, action.descriptor.file)

    @on_call(*SLEEPS)
    def rested(self, action: Action) -> Iterator[Finding]:
        """A pause between two attempts is a back-off."""
        yield from self._rested(action)

    @on_call("epoll_ctl")
    def paused(self, action: Action) -> Iterator[Finding]:
        """The listener is removed from the set, or its events are changed."""
        if self._runs and action.registration is not None:
            yield from self.over(action.event, action.registration.file)

    @on_round
    def turned(self, action: Action) -> Iterator[Finding]:
        """A wait that timed out shows that the loop paused."""
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
            run = self.run(descriptor.file)
            if run is not None and run.descriptor is descriptor:
                yield from self.over(action.event, descriptor.file)

    def tell(self, spin: _Failures, sure: Confidence) -> Finding:
        """Make the finding."""
        number, error = spin.descriptor.number, spin.first.errno
        title = (
            f"accept on {listens_on(spin.descriptor)} fails with {error} in a busy loop: the connection stays queued,"
            " the listener stays readable"
        )
        limit = _limit(spin.thread.process) if error == "EMFILE" else ""
        return self.finding(
            _story(spin),
            object=describe(spin.descriptor),
            title=self.titled(spin, title),
            severity=severity_of(sure),
            confidence=sure,
            why=f"accept that fails with {error} leaves the connection in the queue, so the listener stays readable"
            " and the next wait returns immediately: accept(2), epoll(7)",
            fix=f"on {error} stop watching fd {number} until a descriptor is closed, or keep a spare descriptor: close"
            " the spare, accept, close the connection, open the spare again; then close idle connections or raise the"
            f" limit{limit}",
            explains=[
                ("failing-call-spin", spin.first.line),
                ("accept-error-ends-server", spin.last.line),
                *((("ready-not-served-spin", spin.wait.line),) if spin.wait is not None else ()),
            ],
        )


def _reported(thread: Thread, listener: Descriptor) -> Syscall | None:
    """Return the wait that reported this listener, or else the last one that reported anything."""
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
        yield step(spin.wait, f"the wait returns: a connection is queued on fd {number}")
    scope = "the process" if error == "EMFILE" else "the system"
    yield step(spin.first, f"{scope} has no descriptor left: the connection stays queued", primary=True)
    yield from spin.again("accept fails again: no descriptor has been freed")

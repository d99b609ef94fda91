"""TD607: a program that repeats the same unsuccessful check between sleeps until it ends."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.blocking import unreaped
from tracediag.evidence.exits import end_step, manner
from tracediag.evidence.names import process_name
from tracediag.evidence.polls import MANY, Poll, Polls, path_of_check, was_stopped
from tracediag.evidence.waiters import killing_lines, stood_in
from tracediag.kernel import Action
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.socket import format_address
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.trace.calls import KILLS, LOOKS, OPENS, SLEEPS
from tracediag.trace.events import Syscall

_FILES = LOOKS | OPENS
_CONNECT = "connect"


class SleepAndPoll(Rule):
    """A process sleeps and makes the same check, which has the same result each time, until it ends."""

    code = "TD607"
    name = "sleep-and-poll"
    severity = Severity.WARNING
    summary = "a program sleeps and checks for a file, server or process until it is stopped"
    raised_by = (SLEEPS, _FILES | KILLS | {_CONNECT})

    def __init__(self) -> None:
        self._polls = Polls()
        self._sleepers = self._polls.sleepers

    @on_call(*SLEEPS)
    def slept(self, action: Action) -> None:
        """Note a pause between two checks."""
        self._polls.sleep(action)

    @on_errno("ENOENT", of=_FILES, given="_sleepers")
    def absent(self, action: Action) -> None:
        """Note a look for a file."""
        if self._polls.awaits(action) and (path := path_of_check(action.call)) is not None:
            self._polls.check(action, path)

    @on_errno("ECONNREFUSED", "ENOENT", "EHOSTUNREACH", "ENETUNREACH", of=(_CONNECT,))
    def refused(self, action: Action) -> None:
        """Note an attempt to connect."""
        address = format_address(action.call.arg(1))
        if address is not None:
            self._polls.check(action, address)

    @on_call("kill")
    def asked(self, action: Action) -> None:
        """Note a look for a process: whether it still runs, kill(2)."""
        call = action.call
        if call.number(1) != 0:
            return
        if call.result == 0:
            self._polls.check(action, str(call.number(0)))
        elif call.errno == "ESRCH":
            self._polls.over(action, str(call.number(0)))

    @on_call(_CONNECT)
    def connected(self, action: Action) -> None:
        """Note an attempt to connect that succeeds, or may: with EINPROGRESS its result is not known yet."""
        address = format_address(action.call.arg(1)) if self._polls.awaits(action) else None
        if address is not None and (action.call.result == 0 or action.call.errno == "EINPROGRESS"):
            self._polls.over(action, address)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the checks at the end of the process or the trace."""
        poll = self._polls.until(end)
        if poll is not None and (was_stopped(end) or poll.last.name != _CONNECT):
            yield self._finding(end, poll)  # a program that fails because of a connect has a rule of its own

    def _finding(self, end: ProcessEnd, poll: Poll) -> Finding:
        what, state, fix = _subject(poll.last, end)
        stopped = was_stopped(end)
        name = process_name(end.process)
        last = "" if stopped or end.exit is None else f", and {manner(end.exit)}"
        return self.finding(
            _story(end, poll, state),
            object=what,
            title=f"{name} waits for {what}: {poll.times:,} checks with sleeps between{last}",
            confidence=Confidence.LIKELY,
            severity=_severity(end, poll),
            why="a loop of sleeps and checks ends only when the check succeeds, and notices nothing else; inotify,"
            " pidfd_open or a readiness notification would wait without polling: nanosleep(2), inotify(7)",
            fix=fix,
            explains=[
                *(("killed-from-outside", line) for line in killing_lines(end)),
                ("failed-call-behind-exit", poll.last.line),
                *(("connection-refused", call.line) for call in (poll.first, poll.last)),
            ],
        )


def _severity(end: ProcessEnd, poll: Poll) -> Severity:
    """Say how bad it is: where the recording only stops, and not within a sleep, the next check may be the last."""
    if not was_stopped(end):
        return Severity.ERROR
    stops = end.exit is None and end.process.order is None and not any(call.name in SLEEPS for call in stood_in(end))
    return Severity.NOTE if stops and poll.times < MANY else Severity.WARNING


def _subject(call: Syscall, end: ProcessEnd) -> tuple[str, str, str]:
    """Return what a check waits for, what each check finds, and what to do."""
    if call.name == _CONNECT:
        address = format_address(call.arg(1)) or "the server"
        fix = f"start the server that listens at {address}, or correct the address; and limit the number of attempts"
        return f"a server at {address}", f"connect fails with {call.errno}", fix
    if call.name in KILLS:
        pid = call.number(0)
        if parent := unreaped(end.kernel, pid):
            what = f"process {pid}, which has ended, to be waited for by its parent {parent}"
            fix = (
                f"let {parent} wait for its children, or end it: init then waits for them; ask for State in /proc/{pid}"
            )
            return what, f"process {pid} is a zombie", fix
        fix = f"find out what process {pid} waits for: strace -f -p {pid}; and limit the wait"
        return f"process {pid} to end", f"process {pid} still runs", fix
    path = path_of_check(call) or "the file"
    fix = f"find out which program should create {path}, and whether it runs; compare the path; and limit the wait"
    return f"{path} to appear", f"{path} does not exist", fix


def _story(end: ProcessEnd, poll: Poll, state: str) -> Iterator[Step]:
    yield step(poll.first, f"{state}; the program sleeps, and checks again")
    yield step(poll.last, f"the last of {poll.times:,} checks: {state}", primary=True)
    if end.exit is not None:
        yield end_step(end.exit)

"""Checks that a program repeats between sleeps: the same call fails in the same way, again and again."""

from __future__ import annotations

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.names import program_name
from tracediag.kernel import Action
from tracediag.kernel.descriptor import PATHS
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.signals import ORDERS
from tracediag.trace.events import Syscall

_KEPT = 16
"""Different checks of one process that are followed."""
_NEAR = 32
"""Lines between the last sleep or check and the end: a handler, a message and an exit."""
ENOUGH = 3
"""Checks with a sleep before each but the first."""
MANY = 10
"""Checks after which hardly any program stops by itself."""


class Poll(msgspec.Struct):
    """The same check, with sleeps between."""

    first: Syscall
    last: Syscall
    times: int
    nap: int
    """How often the program had slept before the last check."""


class _Sleeper(msgspec.Struct):
    """What a process that sleeps checks meanwhile."""

    naps: int = 0
    thread: Thread | None = None
    """The thread that slept last: the process's own, or one of a child."""
    nap: Syscall | None = None
    """Its sleep."""
    polls: dict[str, Poll] = msgspec.field(default_factory=dict)

    def has_last(self, poll: Poll, end: ProcessEnd) -> bool:
        """Whether the process has done nothing but sleep after a check: otherwise a later check has succeeded."""
        nap, thread = self.nap, self.thread
        if nap is None or thread is None or poll.nap < self.naps - 1:
            return False
        inside = thread.last_call is nap and (not nap.returned or nap.interrupted)
        order, last = end.process.order, max(poll.last.line, nap.line, nap.end_line)
        until = end.line if order is None else order.line
        return inside or thread.process.ordered_in is nap or until - last <= _NEAR


class Polls:
    """The repeated checks of one trace; a rule hands it the sleeps, and the calls that it takes for checks.

    A shell sleeps in a child, `sleep`, and redirects in a subshell: what such a child does counts as the shell's.
    """

    def __init__(self) -> None:
        self.sleepers: Cases[Process, _Sleeper] = Cases()
        """The processes that sleep between what they do."""

    def sleep(self, action: Action) -> None:
        """Note a call that sleeps."""
        process = action.process
        if program_name(process.program) == "sleep" and process.parent is not None:
            process = process.parent
        sleeper = self.sleepers.setdefault(process, _Sleeper())
        sleeper.naps += 1
        sleeper.thread, sleeper.nap = action.thread, action.call

    def check(self, action: Action, what: str) -> None:
        """Note a check that did not succeed; `what` tells it from others of the same call."""
        sleeper = self._sleeper(action)
        if sleeper is None:
            return
        call, key = action.call, f"{action.call.name} {what}"
        known = sleeper.polls.pop(key, None)
        if known is None or sleeper.naps > known.nap + 1:
            known = Poll(call, call, 1, sleeper.naps)
        elif sleeper.naps > known.nap:
            known.last, known.times, known.nap = call, known.times + 1, sleeper.naps
        sleeper.polls[key] = known
        if len(sleeper.polls) > _KEPT:
            del sleeper.polls[next(iter(sleeper.polls))]

    def over(self, action: Action, what: str) -> None:
        """Note a check that succeeded: what the program waits for has come."""
        sleeper = self._sleeper(action)
        if sleeper is not None:
            sleeper.polls.pop(f"{action.call.name} {what}", None)

    def awaits(self, action: Action) -> bool:
        """Whether a call may be a check of a process that sleeps; asked before its arguments are looked at."""
        return bool(self.sleepers) and self._sleeper(action) is not None

    def _sleeper(self, action: Action) -> _Sleeper | None:
        process = action.process
        found: _Sleeper | None = self.sleepers.get(process)
        if found is not None or process.parent is None:
            return found
        if process.execs and action.call.errno == "ENOENT":
            return None  # a program that is executed looks for many files
        return self.sleepers.get(process.parent)

    def until(self, end: ProcessEnd, enough: int = ENOUGH) -> Poll | None:
        """Return the check that a process repeats, so often at least, until it is stopped, fails, or the trace ends."""
        sleeper, process = self.sleepers.get(end.process), end.process
        if sleeper is None or (process.exit is not None and not process.ended_badly and process.order is None):
            return None
        lasting = [poll for poll in sleeper.polls.values() if poll.times >= enough and sleeper.has_last(poll, end)]
        return max(lasting, key=lambda poll: (poll.times, -poll.first.line), default=None)


def was_stopped(end: ProcessEnd) -> bool:
    """Whether the trace ends first, or a user or supervisor ends the process."""
    exited = end.process.exit
    return exited is None or exited.signal in ORDERS or exited.signal == "SIGKILL" or end.process.order is not None


def path_of_check(call: Syscall) -> str | None:
    """Return the path that a check is about: the last argument of link and symlink, the first path of others."""
    if call.name in ("link", "symlink"):
        return call.path(1)
    if call.name in ("linkat", "symlinkat"):
        return call.path(3 if call.name == "linkat" else 2)
    return call.path(PATHS.get(call.name, 1 if call.name.endswith(("at", "at2", "statx")) else 0))

"""TD410: a read or write that returns more than it was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.steps import birth
from tracediag.kernel import Action
from tracediag.kernel.calls.transfer import asked
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import checked_integer

_HUGE = 0x7FFFF000
"""MAX_RW_COUNT: more than the kernel ever moves in one call; a remainder below zero, taken as unsigned, is more."""

_INJECTED = "INJECTED"
_PENDING = 16
"""Incidents that may wait for what follows from them, at most."""


class ImpossibleResult(Rule):
    """The kernel says that it has moved more bytes than the buffer holds: a driver, a handler or a filter lies."""

    code = "TD410"
    name = "impossible-result"
    severity = Severity.ERROR
    summary = "a read or write returns more than was asked for: the fault is below the program"

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[Descriptor, Syscall, Process]] = {}
        """What has been seen, by identity of the descriptor, until the next call on it: with the pid of the process."""

    @on_call("read", "write")
    def moved(self, action: Action) -> Iterator[Finding] | None:
        """Compare the result with the last argument, by the text alone: this sees every read and write of a trace."""
        call = action.call
        if self._waiting and (followed := self._followed(action)) is not None:
            return followed
        result = call.result
        if result is not None and result > 0:
            body = call.body
            size = body[body.rfind(" ") + 1 :]
            # As many digits or more, and not less: nearly every call is through here.
            if len(size) <= len(str(result)) and size.isdecimal() and checked_integer(size) < result:
                self._note(action)
        return None

    @on_call("send", "sendto", "pread64", "pwrite64")
    def moved_otherwise(self, action: Action) -> None:
        """Compare as above; the calls that receive tell by right how long a datagram was that MSG_TRUNC has cut."""
        call = action.call
        # Most of them move all that was asked for, and say so by the same number twice.
        if call.result is not None and call.result > 0 and f", {call.result}" not in call.body:
            self._note(action)

    def _note(self, action: Action) -> None:
        call, descriptor = action.call, action.descriptor
        size = asked(call)
        if descriptor is None or size is None or call.result is None or _INJECTED in call.tail:
            return
        if 0 <= size < call.result and len(call.args) > 1 and len(self._waiting) < _PENDING:
            self._waiting[id(descriptor)] = (descriptor, call, action.process)

    def _followed(self, action: Action) -> Iterator[Finding] | None:
        """Tell of an incident, now that the next call on the same descriptor is known."""
        incident = self._waiting.pop(id(action.descriptor), None)
        return None if incident is None else iter([self._finding(incident[0], incident[1], action.call)])

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """The process makes no further call on the descriptor."""
        for key, (descriptor, call, process) in list(self._waiting.items()):
            if process is end.process:
                del self._waiting[key]
                yield self._finding(descriptor, call, None)

    def _finding(self, descriptor: Descriptor, call: Syscall, after: Syscall | None) -> Finding:
        size = asked(call) or 0
        struck = after is not None and _underflown(after, size - (call.result or 0))
        where = descriptor.file.path or f"fd {descriptor.number}"
        explains = [] if after is None else [(name, after.line) for name in _SYMPTOMS]
        return self.finding(
            _story(descriptor, call, after if struck else None),
            object=describe(descriptor),
            title=f"{call.name} returns {call.result}, though it was asked for {size}",
            why="read and write return at most the count that they were given; a larger result comes from a faulty"
            " handler in a driver, a /proc or /sys file, FUSE, or a seccomp supervisor, and a loop that subtracts it"
            " from what is left falls below zero: read(2), write(2)",
            fix=f"correct what handles {call.name} of {where} so that it returns no more than the count (for a command"
            f" taken whole: the count); in the program, take a result above {size} as an error",
            explains=explains if struck else [],
        )


_SYMPTOMS = ("failed-call-behind-exit", "errno-overwritten", "negative-length")


def _underflown(call: Syscall, below: int) -> bool:
    """Whether a call is made with what is left after the result: a number below zero, printed as unsigned."""
    size = asked(call)
    return size is not None and (size > _HUGE or size == below)


def _story(descriptor: Descriptor, call: Syscall, after: Syscall | None) -> Iterator[Step]:
    yield from birth(descriptor)
    size = asked(call) or 0
    verb = "read" if call.name[0] == "r" or call.name == "pread64" else "taken"
    yield step(call, f"{call.result} bytes are said to be {verb}, of {size} at most: impossible", primary=True)
    if after is not None:
        outcome = f", and fails with {after.errno}" if after.errno else ""
        note = f"{size} - {call.result} = {size - (call.result or 0)} are left, {asked(after)} as unsigned{outcome}"
        yield step(after, note)

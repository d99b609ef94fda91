"""TD410: a read or write that returns more than it was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.steps import birth
from tracediag.kernel import Action
from tracediag.kernel.calls.transfer import asked
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.quantities import count, plural

_HUGE = 0x7FFFF000
"""MAX_RW_COUNT, the most that the kernel moves in one call; a negative remainder is larger when taken as unsigned."""

_INJECTED = "INJECTED"
_PENDING = 16
"""Incidents kept until the next call on the descriptor, at most."""


class ImpossibleResult(Rule):
    """A read or write returns more bytes than the buffer holds: a driver, a handler or a supervisor is faulty."""

    code = "TD410"
    name = "impossible-result"
    severity = Severity.ERROR
    summary = "a read or write returns more bytes than requested: the fault is outside the program"

    def __init__(self) -> None:
        self._waiting: Cases[Descriptor, tuple[Descriptor, Syscall, Process]] = Cases(outlive=True)
        """The incidents, by descriptor, until the next call on it."""

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
            # A count with more digits than the result is larger: most calls stop at this test.
            if len(size) <= len(str(result)) and size.isdecimal() and checked_integer(size) < result:
                self._note(action)
        return None

    @on_call("send", "sendto", "pread", "pread64", "pwrite", "pwrite64")
    def moved_otherwise(self, action: Action) -> None:
        """Compare as above; receives are left out, as MSG_TRUNC makes them return the full length of a datagram."""
        call = action.call
        # Most calls move all the bytes requested, and the same number stands in the arguments.
        if call.result is not None and call.result > 0 and f", {call.result}" not in call.body:
            self._note(action)

    def _note(self, action: Action) -> None:
        call, descriptor = action.call, action.descriptor
        size = asked(call)
        if descriptor is None or size is None or call.result is None or _INJECTED in call.tail:
            return
        if 0 <= size < call.result and len(call.args) > 1 and len(self._waiting) < _PENDING:
            self._waiting[descriptor] = (descriptor, call, action.process)

    def _followed(self, action: Action) -> Iterator[Finding] | None:
        """Report an incident, now that the next call on the same descriptor is known."""
        incident = None if action.descriptor is None else self._waiting.pop(action.descriptor, None)
        return None if incident is None else iter([self._finding(incident[0], incident[1], action.call)])

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report the incidents of a process that makes no further call on the descriptor."""
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
            title=f"{call.name} on {name(descriptor)} returns {count(call.result or 0)}, more than the"
            f" {plural(size, 'byte')} requested",
            why="read and write never return more than the count; a larger result comes from a faulty driver, a /proc"
            " or /sys handler, FUSE, or a seccomp supervisor: read(2), write(2), seccomp_unotify(2)",
            fix=f"correct the code that serves {call.name} on {where}: the result must not exceed the count (return the"
            f" count for an accepted command); in the program, treat a result above {count(size)} as an error",
            explains=explains if struck else [],
        )


_SYMPTOMS = ("failed-call-behind-exit", "errno-overwritten", "negative-length")


def _underflown(call: Syscall, below: int) -> bool:
    """Whether a call is made with the negative remainder as its count, printed as unsigned."""
    size = asked(call)
    return size is not None and (size > _HUGE or size == below)


def _story(descriptor: Descriptor, call: Syscall, after: Syscall | None) -> Iterator[Step]:
    yield from birth(descriptor)
    size = asked(call) or 0
    result = call.result or 0
    yield step(call, f"{call.name} returns {count(result)} for a count of {count(size)}: impossible", primary=True)
    if after is not None:
        outcome = f": {after.name} fails with {after.errno}" if after.errno else ""
        note = f"the next count is {count(size)} - {count(result)} = {count(size - result)}, huge as unsigned{outcome}"
        yield step(after, note)

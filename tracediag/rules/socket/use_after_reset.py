"""TD203: a connection that is used on after the kernel has said that it is dead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracediag.events import Syscall
from tracediag.findings import Finding, Severity, step
from tracediag.kernel import Action, Kernel
from tracediag.kernel.calls.transfer import BROKEN, READS, WRITES
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.rules.base import Rule, on_call, on_end, on_release
from tracediag.rules.steps import birth, repeated


@dataclass(slots=True)
class _Use:
    descriptor: Descriptor
    broken: Syscall
    first: Syscall
    times: int
    last: int


class UseAfterReset(Rule):
    """Writes after EPIPE or ECONNRESET, or reads after ECONNRESET: the connection cannot come back."""

    code = "TD203"
    name = "use-after-reset"
    severity = Severity.WARNING
    summary = "a connection is read or written on after EPIPE or ECONNRESET"

    def __init__(self) -> None:
        self._uses: dict[int, _Use] = {}

    @on_call(*READS, *WRITES)
    def used(self, action: Action) -> None:
        """Count the calls that come after the end."""
        descriptor, call = action.descriptor, action.call
        if descriptor is None or descriptor.file.kind is Kind.PIPE:
            return
        broken: Syscall | None = descriptor.file.memory.get(self.name)
        if broken is not None and _pointless(broken, call):
            use = self._uses.setdefault(id(descriptor.file), _Use(descriptor, broken, call, 0, call.line))
            use.times += 1
            use.last = call.line
        elif broken is None and call.errno in BROKEN:
            descriptor.file.memory[self.name] = call

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The story is over with the last close."""
        for descriptor in action.released:
            use = self._uses.pop(id(descriptor.file), None)
            if use is not None:
                yield self._finding(use)

    @on_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """What is still open at the end of the trace."""
        del kernel
        for use in self._uses.values():
            yield self._finding(use)

    def _finding(self, use: _Use) -> Finding:
        number = use.descriptor.number
        return self.finding(
            [
                *birth(use.descriptor),
                step(use.broken, f"{use.broken.errno}: the connection is dead"),
                repeated(use.first, f"fd {number} is used all the same", use.times, use.last, primary=True),
            ],
            object=describe(use.descriptor),
            title="a dead connection is used on",
            why="after a reset the socket has no peer any more: every write gives EPIPE (and SIGPIPE), every read ends at"
            " once, and nothing can bring the connection back: send(2), tcp(7)",
            fix=f"treat {use.broken.errno} as final for fd {number}: stop, take it out of the event loop, close it",
            explains=[("send-without-nosignal", use.first.line)],
        )


def _pointless(broken: Syscall, call: Syscall) -> bool:
    """Whether nothing can come of the call: after a failed *write* there may still be data of the peer to read."""
    if call.name in WRITES:
        return call.errno in BROKEN
    return broken.name in READS or call.errno in BROKEN

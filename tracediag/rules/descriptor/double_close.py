"""TD303: one number closed twice."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.events import Begun, Syscall
from tracediag.findings import Finding, Severity, step
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Thread
from tracediag.rules.base import Rule, on_call, on_errno
from tracediag.rules.steps import birth

_CLOSED_BY = "TD303 closed by"


class DoubleClose(Rule):
    """close = EBADF after a close of the same number; or a second close that hit another thread's descriptor."""

    code = "TD303"
    name = "double-close"
    severity = Severity.WARNING
    summary = "a descriptor is closed twice; between the two another thread may have got the number"

    @on_call("close")
    def closed(self, action: Action) -> Iterator[Finding]:
        """Remember who closed what; a second close with EBADF is told at once."""
        call, number = action.call, action.call.number(0)
        for descriptor in action.released:
            descriptor.memory[_CLOSED_BY] = (action.thread, _previous(action, descriptor))
        if call.errno != "EBADF" or number is None:
            _note_sweep(action.thread, number)
            return
        gone = action.process.table.last_closed.get(number)
        sweep = _note_sweep(action.thread, number)
        if gone is None or sweep or not isinstance(gone.closed, Syscall) or gone.closed.name != "close":
            return
        yield self.finding(
            [
                *birth(gone),
                step(gone.closed, f"fd {number} is closed"),
                step(call, f"closed again: fd {number} is not open any more", primary=True),
            ],
            object=describe(gone),
            title="a descriptor is closed twice",
            why=_WHY,
            fix=f"let one owner close fd {number}, and forget the number (set it to -1) once it is closed",
        )

    @on_errno("EBADF")
    def missed(self, action: Action) -> Iterator[Finding]:
        """Take the proof of the worse kind: the owner of a number finds it closed by a thread that had closed it before."""
        call = action.call
        number = call.number(0)
        gone = None if number is None else action.process.table.last_closed.get(number)
        if gone is None or call.name == "close" or gone.opened is None or not isinstance(gone.closed, Syscall):
            return
        closer, before = gone.memory.get(_CLOSED_BY, (None, None))
        owner = gone.opened.pid
        if before is None or closer is None or closer.tid == owner or owner != action.thread.tid:
            return
        if before.closed is None or before.closed.pid != closer.tid or not isinstance(before.closed, Syscall | Begun):
            return
        yield self.finding(
            [
                step(before.closed, f"fd {number} is closed"),
                step(gone.opened, f"another thread gets the number {number}"),
                step(gone.closed, "closed a second time: this hits the other thread's descriptor", primary=True),
                step(call, "the owner finds it gone"),
            ],
            object=describe(gone),
            title="a second close hit the descriptor of another thread",
            severity=Severity.ERROR,
            why=_WHY,
            fix=f"let one owner close fd {number}, and forget the number (set it to -1) once it is closed",
            explains=[("use-after-close", call.line)],
        )


_WHY = (
    "a number is free as soon as it is closed, and the next open in any thread takes the lowest free one: a second close"
    " hits whatever has the number by then: close(2), open(2)"
)


def _previous(action: Action, descriptor: Descriptor) -> Descriptor | None:
    """Return the incarnation that had the number before, and take down this one for the next."""
    last: dict[int, Descriptor] = action.process.memory.setdefault("TD303 last", {})
    before = last.get(descriptor.number)
    last[descriptor.number] = descriptor
    return before


def _note_sweep(thread: Thread, number: int | None) -> bool:
    """Whether the thread is closing numbers one after the other, open or not: a sweep, and no mistake."""
    last = thread.last_call
    before = last.number(0) if last is not None and last.name == "close" else None
    return number is not None and before is not None and abs(number - before) == 1

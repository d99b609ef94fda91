"""Calls that release or duplicate descriptors: close(2), close_range(2), dup(2)."""

from __future__ import annotations

from tracediag.kernel.action import Action
from tracediag.kernel.calls.subject import subject
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.handlers import begins, handles
from tracediag.kernel.numbers import install, release
from tracediag.trace.calls import DUPS, REPLACES
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.values import names_of


@begins("close")
def begin_close(action: Action, call: Begun) -> None:
    """Free the number as soon as the call begins, before strace can show that it returned.

    A number that the trace has shown closed is not open: the call closes what another thread may be given meanwhile.
    """
    descriptor = subject(action, call)
    action.thread.inside_descriptor = descriptor
    if descriptor is not None:
        descriptor.closing = call


@handles("close")
def close(action: Action, call: Syscall) -> None:
    """Release the number, even if the call fails with EINTR or EIO: close(2), "Dealing with error returns"."""
    begun: Descriptor | None = action.thread.inside_descriptor
    if begun is not None:
        action.descriptor = begun
        if begun.closed is None and call.errno != "EBADF":
            release(action, begun)
        return
    if call.errno == "EBADF":
        return
    descriptor = subject(action, call)
    if descriptor is not None:
        release(action, descriptor)


@handles("close_range")
def close_range(action: Action, call: Syscall) -> None:
    """Release a range of numbers, or set FD_CLOEXEC on them."""
    first, last = call.number(0), call.number(1)
    if call.result != 0 or first is None or last is None:
        return
    for descriptor in action.process.table:
        if first <= descriptor.number <= last:
            if "CLOSE_RANGE_CLOEXEC" in names_of(call.arg(2)):
                descriptor.cloexec = True
                action.process.table.change(descriptor.number)
            else:
                release(action, descriptor)


@handles(*DUPS)
def dup(action: Action, call: Syscall) -> None:
    """Add a second number for the same description; FD_CLOEXEC is not copied: dup(2)."""
    old = subject(action, call)
    if call.result is None or call.result < 0 or old is None or call.result == old.number:
        return
    table = action.process.table
    if call.name in REPLACES and (target := table.get(call.result)) is not None:
        release(action, target)
    copy = install(action, call.result, old.file, cloexec=call.has("O_CLOEXEC"))
    copy.copy_of = old

"""Steps that many rules share: where a descriptor was created, where it was added to an epoll set."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.kernel import Kernel
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Registration
from tracediag.results.findings import Absence, Step, step
from tracediag.trace.calls import MESSAGE_RECEIVES
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.records import Record


def birth(descriptor: Descriptor) -> Iterator[Step]:
    """Yield the step of the call that created a descriptor, where the trace shows it."""
    opened = descriptor.opened
    if opened is not None:
        received = opened.name in MESSAGE_RECEIVES
        yield step(opened, f"fd {descriptor.number} is {'received' if received else 'created'}")


def watched(entry: Registration) -> Iterator[Step]:
    """Yield the step of the EPOLL_CTL_ADD of a registration, if the trace shows it."""
    if entry.added is not None:
        yield step(entry.added, f"the epoll set now watches fd {entry.number}")


def repeated(event: Syscall | Begun | Record, note: str, times: int, last: int, *, primary: bool = False) -> Step:
    """Return one step that represents several like events."""
    made = step(event, note, primary=primary)
    return made if times < 2 else msgspec.structs.replace(made, repeats=times, last_line=last)


def no(what: str, after: Event, until: Event | int) -> Absence:
    """Return the absence of something between two events, or from an event to a line."""
    last = until if isinstance(until, int) else until.line
    return Absence(text=f"no {what}", first_line=after.line, last_line=last)


def last_line(kernel: Kernel) -> int:
    """Return the last line read so far."""
    return kernel.last_line

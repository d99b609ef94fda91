"""What a blocking call waits for as of a line, and what an epoll set watches."""

from __future__ import annotations

from tracediag.evidence.waiters import waited_for
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Registration
from tracediag.kernel.process import Process
from tracediag.overviews.descriptors import line_of, what_of
from tracediag.results.state import EpollState, Watch
from tracediag.trace.calls import CHILD_WAITS, EPOLL_WAITS
from tracediag.trace.events import Begun, Syscall


def awaited(call: Syscall | Begun, process: Process) -> list[str]:
    """Return what a blocking call waits for, in words."""
    if call.name in CHILD_WAITS:
        number = call.number(1 if call.name == "waitid" else 0)
        chosen = [f"pid {number}"] if number is not None and number > 0 else []
        return chosen or [f"pid {child.pid}" for child in process.children.values()]
    if call.name in EPOLL_WAITS:
        held = process.table.get(call.number(0) or 0)
        epoll = None if held is None else held.file.epoll
        entries = () if epoll is None else sorted(epoll.entries.values(), key=_entry_number)
        return [_named(entry.number, entry.descriptor, process) for entry in entries]
    return [_named(number, process.table.get(number), process) for number in sorted(waited_for(call) or ())]


def _named(number: int, descriptor: Descriptor | None, process: Process) -> str:
    what = None if descriptor is None else what_of(descriptor.file, process)
    return f"fd {number} = {what}" if what else f"fd {number}"


def epoll_state(descriptor: Descriptor, process: Process) -> EpollState:
    """Return what an epoll set watches, each entry with the line that added it."""
    epoll = descriptor.file.epoll
    entries = () if epoll is None else sorted(epoll.entries.values(), key=_entry_number)
    opened = descriptor.file.opened
    watches = tuple(_watch(entry, process) for entry in entries)
    return EpollState(descriptor.number, None if opened is None else line_of(opened), watches)


def _entry_number(entry: Registration) -> int:
    return entry.number


def _watch(entry: Registration, process: Process) -> Watch:
    return Watch(
        number=entry.number,
        what=what_of(entry.file, process),
        events=None if entry.events is None else tuple(sorted(entry.events)),
        line=None if entry.added is None else line_of(entry.added),
        stale=entry.descriptor.closed is not None,
    )

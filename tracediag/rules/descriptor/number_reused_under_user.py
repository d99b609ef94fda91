"""TD305: a number is used after its close, when it already refers to another file."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.steps import birth
from tracediag.kernel import Action
from tracediag.kernel.describe import describe, describe_file
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_errno, on_threaded
from tracediag.rules.descriptor._payload import shape
from tracediag.trace.calls import (
    ACCEPTS,
    COPIES,
    EPOLL_CTLS,
    EPOLL_WAITS,
    FILE_READS,
    FILE_WRITES,
    POSITIONED,
    POSITIONED_READS,
    POSITIONED_WRITES,
    SOCKET_SETUP,
    SOCKET_TRANSFERS,
    SOCKETS,
    WRITES,
)
from tracediag.trace.events import Syscall

_STANDARD_STREAMS = 3
_MAKES_SOCKETS = SOCKETS | ACCEPTS
_FOR_SOCKETS = SOCKET_TRANSFERS | SOCKET_SETUP | ACCEPTS
_OUT = FILE_WRITES | POSITIONED_WRITES
_IN = FILE_READS | POSITIONED_READS
_FOR_EPOLL = EPOLL_WAITS | EPOLL_CTLS
_KEPT = 4096
_SUSPECTS = 64

_Key = tuple[int, int | None]
_Last = tuple[Descriptor, Syscall]


class _Suspect(msgspec.Struct, eq=False):
    """A write to a descriptor that another thread opened, by a thread that had used the number before."""

    gone: Descriptor
    before: Syscall
    """The thread's last write under the number before its close."""
    held: Descriptor
    stray: Syscall


class _Writers(msgspec.Struct, eq=False):
    """Which thread of a process writes to which descriptor."""

    last: dict[_Key, _Last] = {}
    """By number and thread: the descriptor last written to, and the call."""
    shared: set[int | None] = set()
    """Threads that write to descriptors of other threads: descriptors are handed to them."""
    suspects: dict[Descriptor, _Suspect] = {}
    """By identity of the descriptor that was hit."""


class NumberReusedUnderUser(Rule):
    """A descriptor is closed, the next open reuses its number, and a user of the old one keeps using the number."""

    code = "TD305"
    name = "number-reused-under-user"
    severity = Severity.ERROR
    summary = "a closed number was reused, and a call meant for the old descriptor hits the new one"

    def __init__(self) -> None:
        self._writers: Cases[Process, _Writers] = Cases()

    @on_errno("ENOTSOCK", "EBADF", "ESPIPE")
    @on_errno("EINVAL", of=_FOR_EPOLL)
    def refused(self, action: Action) -> Iterator[Finding]:
        """Find a failed call that fits what the number referred to before, and not what it refers to now."""
        call = action.call
        number = call.number(0)
        held = None if number is None else action.process.table.get(number)
        if held is None or held.before is None or held.opened is None or held.opened.name in COPIES:
            return  # a copy replaces what a number refers to on purpose
        gone = held.before
        meant = _meant(call, held, gone)
        if meant is not None and isinstance(gone.closed, Syscall):
            yield self._misfit(call, held, gone, gone.closed, meant)

    def _misfit(self, call: Syscall, held: Descriptor, gone: Descriptor, closed: Syscall, meant: str) -> Finding:
        number = held.number
        assert held.opened is not None
        return self.finding(
            [
                *birth(gone),
                step(closed, f"fd {number}, {meant}, is closed"),
                step(held.opened, f"fd {number} is reused"),
                step(call, f"{call.name}, meant for {meant}, reaches the new fd {number}", primary=True),
            ],
            object=describe(held),
            title=f"{call.name} meant for {describe_file(gone.file) or meant} hits"
            f" {describe_file(held.file) or 'another descriptor'}: fd {number} was closed and reused",
            confidence=Confidence.LIKELY if gone.file.kind is Kind.UNKNOWN else Confidence.CERTAIN,
            why=_WHY,
            fix=_FIX.format(fd=number),
            explains=[(name, call.line) for name in _FOLLOWERS],
        )

    @on_threaded(*WRITES)
    def wrote(self, action: Action) -> Iterator[Finding] | None:
        """In a process of several threads, compare what each thread writes to with what it wrote to before."""
        thread, descriptor = action.thread, action.descriptor
        if descriptor is None:
            return None
        writers = self._writers.get(thread.process)
        if writers is None:
            writers = self._writers[thread.process] = _Writers()
        key = (descriptor.number, thread.tid)
        last = writers.last.get(key)
        if last is None or last[0] is not descriptor:
            _met(writers, action, descriptor, last)
        if last is None and len(writers.last) >= _KEPT:
            writers.last.clear()
        writers.last[key] = (descriptor, action.call)
        suspect = writers.suspects.get(descriptor) if writers.suspects else None
        return None if suspect is None else self._confirmed(writers, suspect, action.call)

    def _confirmed(self, writers: _Writers, suspect: _Suspect, call: Syscall) -> Iterator[Finding]:
        """Report once the owner writes again: then it has not handed the descriptor to the thread."""
        held, stray = suspect.held, suspect.stray
        if held.opened is None or call.pid != held.opened.pid or not call.result or call.failed:
            return
        del writers.suspects[held]
        if not _likely(writers, suspect, call):
            return
        assert isinstance(suspect.gone.closed, Syscall)
        number = held.number
        yield self.finding(
            [
                *birth(suspect.gone),
                step(suspect.before, f"a thread writes to fd {number}"),
                step(suspect.gone.closed, f"fd {number} is closed"),
                step(held.opened, f"another thread is given fd {number}"),
                step(stray, "the first thread writes again, now to the other thread's descriptor", primary=True),
                step(call, f"the other thread keeps writing to fd {number}"),
            ],
            object=describe(held),
            title=f"a write meant for {describe_file(suspect.gone.file) or 'a closed descriptor'} hits"
            f" {describe_file(held.file) or 'another descriptor'}: fd {number} was closed and reused",
            confidence=Confidence.LIKELY,
            why=_WHY,
            fix=_FIX.format(fd=number),
        )


_WHY = (
    "the next open, socket or accept in any thread takes the lowest free number: code that kept a closed number then"
    " uses an unrelated descriptor, mostly without an error: open(2), close(2)"
)
_FIX = (
    "close fd {fd} only when no other code uses the number (join the thread, or count references), and set every"
    " copy of the number to -1 with the close"
)
_FOLLOWERS = ("failed-call-behind-exit", "failing-call-spin", "failed-open-not-checked", "write-error-ignored")


def _meant(call: Syscall, held: Descriptor, gone: Descriptor) -> str | None:
    """Return what a failed call was meant for, if the old descriptor was that, or may have been, and the new is not."""
    assert held.opened is not None
    now, then = held.file, gone.file
    match call.errno:
        case "ENOTSOCK" if call.name in _FOR_SOCKETS and then.kind in (Kind.SOCKET, Kind.UNKNOWN):
            return None if held.opened.name in _MAKES_SOCKETS else "the socket"
        case "EBADF" if call.name in _OUT and now.flags.access == "O_RDONLY":
            return "the descriptor open for writing" if then.flags.access in ("O_WRONLY", "O_RDWR") else None
        case "EBADF" if call.name in _IN and now.flags.access == "O_WRONLY":
            return "the descriptor open for reading" if then.flags.access in ("O_RDONLY", "O_RDWR") else None
        case "ESPIPE" if call.name in POSITIONED and now.kind in (Kind.SOCKET, Kind.PIPE):
            return "the file" if then.kind is Kind.FILE else None
        case "EINVAL" if now.kind is not Kind.EPOLL:
            return "the epoll set" if then.kind in (Kind.EPOLL, Kind.UNKNOWN) else None
    return None


def _met(writers: _Writers, action: Action, descriptor: Descriptor, last: _Last | None) -> None:
    """Record the first write of a thread to a descriptor."""
    thread, opened = action.thread, descriptor.opened
    if opened is None or opened.pid == thread.tid or descriptor.number < _STANDARD_STREAMS or not action.call.result:
        return
    if last is None or not _stale(action, descriptor, last):
        writers.shared.add(thread.tid)
    elif len(writers.suspects) < _SUSPECTS:
        gone, before = last
        writers.suspects[descriptor] = _Suspect(gone, before, descriptor, action.call)


def _stale(action: Action, descriptor: Descriptor, last: _Last) -> bool:
    """Whether a thread may assume that the number still refers to what it wrote to before."""
    gone, before = last
    opened = descriptor.opened
    if opened is None or opened.name in COPIES or action.call.name != before.name or action.call.failed:
        return False
    reported = any(report.descriptor is descriptor for turn in action.thread.rounds.values() for report in turn.reports)
    return isinstance(gone.closed, Syscall) and gone.closed.name == "close" and not reported


def _likely(writers: _Writers, suspect: _Suspect, owner: Syscall) -> bool:
    """Whether the descriptor was most likely not handed to the thread.

    That is likely if the thread writes only to descriptors that it opened itself, or if it writes the same kind of text
    as before to another kind of object, to which the owner writes something else.
    """
    gone, stray = suspect.gone, shape(suspect.stray)
    own = gone.opened is not None and gone.opened.pid == suspect.stray.pid
    if own and suspect.stray.pid not in writers.shared:
        return stray is None or stray != shape(owner)
    changed = gone.file.kind is not suspect.held.file.kind or gone.file.path != suspect.held.file.path
    return changed and stray is not None and stray == shape(suspect.before) and stray != shape(owner)

"""One descriptor that was met as two: threads of one process, taken for two, have used the same number.

What either showed of the open file description is true of both: the description that stays learns it.
"""

from __future__ import annotations

from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.epoll import EpollSet, Registration
from tracediag.kernel.pipe import PipeEnd
from tracediag.kernel.process import Process
from tracediag.kernel.socket import Socket
from tracediag.trace.events import Syscall


def may_be_one(mine: Descriptor, other: Descriptor) -> bool:
    """Whether two incarnations of a number, each older than what the trace shows of it, may be the same."""
    one, two = mine.file, other.file
    if mine.opened is not None or other.opened is not None:
        return False
    if one.kind is not two.kind and Kind.UNKNOWN not in (one.kind, two.kind):
        return False
    return one.known_path is None or two.known_path is None or one.known_path == two.known_path


def join(process: Process, mine: Descriptor, other: Descriptor) -> None:
    """Let a descriptor of a process stand for another one as well, and its description for that of the other."""
    stays, goes = mine.file, other.file
    goes.holders.pop(other, None)
    other.hand_over(mine)
    mine.waited_for = mine.waited_for or other.waited_for
    mine.readiness = mine.readiness or other.readiness
    if stays is goes or goes.holders or goes.heirs:
        return  # another process, which may be one of its own, has the other description
    if stays.kind is Kind.UNKNOWN:
        stays.kind = goes.kind
    stays.known_path = stays.known_path or goes.known_path
    stays.known_flags = stays.known_flags or goes.known_flags
    stays.stated = _later(stays.stated, goes.stated)
    stays.locked = stays.locked or goes.locked
    stays.written, stays.got = _later(stays.written, goes.written), _later(stays.got, goes.got)
    stays.taken += goes.taken
    stays.used = _later(stays.used, goes.used)
    stays.waited_for = stays.waited_for or goes.waited_for
    _join_sockets(stays, goes)
    _join_pipes(stays, goes)
    _join_sets(process, stays, goes)
    for entry in list(goes.registrations):
        entry.epoll.entries.pop((entry.number, goes), None)
        entry.file, entry.descriptor = stays, mine
        _add(entry.epoll, entry)
    goes.registrations.clear()
    goes.hand_over(stays)


def _later(one: Syscall | None, other: Syscall | None) -> Syscall | None:
    """Return the later of two calls of which the trace may show neither."""
    if one is None or other is None:
        return one or other
    return one if one.line >= other.line else other


def _join_sockets(stays: OpenFile, goes: OpenFile) -> None:
    mine, other = stays.socket, goes.socket
    if other is None:
        return
    if other.other is not None and other.other.socket is not None:
        other.other.socket.other = stays
    if mine is None:
        stays.socket = other
        return
    mine.last_read, mine.last_write = _later(mine.last_read, other.last_read), _later(mine.last_write, other.last_write)
    mine.options = other.options | mine.options
    for name in Socket.__struct_fields__:
        if not getattr(mine, name):
            setattr(mine, name, getattr(other, name))


def _join_pipes(stays: OpenFile, goes: OpenFile) -> None:
    other: PipeEnd | None = goes.pipe
    if other is None:
        return
    pipe = other.pipe
    pipe.reader = stays if pipe.reader is goes else pipe.reader
    pipe.writer = stays if pipe.writer is goes else pipe.writer
    stays.pipe = stays.pipe or other


def _join_sets(process: Process, stays: OpenFile, goes: OpenFile) -> None:
    other = goes.epoll
    if other is None or stays.epoll is None:
        stays.epoll = stays.epoll or other
        return
    for entry in list(other.entries.values()):
        entry.epoll = stays.epoll
        _add(stays.epoll, entry)
    stays.epoll.by_data = other.by_data | stays.epoll.by_data
    stays.epoll.removals = other.removals | stays.epoll.removals
    for thread in process.threads:
        turn = thread.rounds.pop(other, None)
        if turn is not None:
            turn.epoll = stays.epoll
            thread.rounds[stays.epoll] = turn


def _add(epoll: EpollSet, entry: Registration) -> None:
    """Add an entry, unless the set has the same one already and the trace shows how it was made."""
    known = epoll.entries.get((entry.number, entry.file))
    if known is not None and (known.added is not None or entry.added is None):
        entry.file.registrations.pop(entry, None)
        return
    if known is not None:
        known.file.registrations.pop(known, None)
    epoll.add(entry)

"""Resolves the descriptor that a call is made on, and infers its kind from its use and annotation."""

from __future__ import annotations

import re

from tracediag.kernel.action import Action
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.epoll import EpollSet, Readiness, Registration, Round
from tracediag.kernel.learning import learn
from tracediag.kernel.numbers import look_up, release
from tracediag.kernel.sharing import with_maker
from tracediag.kernel.table import DescriptorTable
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.calls import ACCEPTS, FILE_READS, FILE_WRITES, READS
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.values import note_of

_UNKNOWN, _FILE = Kind.UNKNOWN, Kind.FILE
"""Aliases of enum members: attribute access through the class costs as much as a call."""
_NUMBER = 11
"""The characters in which a number and the `<` after it stand."""

_NOTED = re.compile(r'[0-9]{1,10}+(?><((?>[^<>"\\-]++|->?+)++)>)?+(?=,|$)').match
"""A descriptor at the start of the arguments, with its note if that is plain: `3`, `3<pipe:[7]>`, `3<TCP:[a->b]>`."""
_NO_PATHS = ("TCP", "UDP", "UNIX", "NETLINK", "socket:", "pipe:", "anon_inode:")
"""How the notes of what is no file begin."""
_READS = READS | ACCEPTS
"""Calls by which a loop usually answers a wakeup: the first one shows which descriptor unknown data stands for."""
_PIPE_ENDS = dict.fromkeys(FILE_READS, False) | dict.fromkeys(FILE_WRITES, True)
"""Which end of a pipe a call uses, by whether the call writes."""


def subject(action: Action, call: Syscall | Begun, position: int = 0) -> Descriptor | None:
    """Resolve the descriptor argument of a call, and record it in the action."""
    number = call.number(position)
    thread = action.thread
    # The usual case, inlined: the table knows the number.
    descriptor = thread.process.table.open.get(number) if number is not None else None
    if descriptor is None:
        descriptor = _met_first(action, call, position, number)
        if descriptor is None:
            return None
    file = descriptor.file
    if action.kernel.process_table.strangers.mixed and contradicts(file, number, call.body):
        release(action, descriptor)  # a thread that the trace does not show as one has closed it
        descriptor = look_up(action, number)
        if descriptor is None:
            return None
        file = descriptor.file
    if (file.kind is _UNKNOWN or file.socket is not None) and _worth_reading(file):
        note = _note(call, position)
        if note is not None:
            learn(action.kernel.endpoints, file, parse_annotation(note))
            if file.pipe is not None and call.name in _PIPE_ENDS and file.pipe.writing is None:
                file.pipe.direct(file, writing=_PIPE_ENDS[call.name])
    action.descriptor = descriptor
    if (descriptor.readiness is not None or thread.rounds or file.waited_for) and isinstance(call, Syscall):
        _touch(action, descriptor, call)
    return descriptor


def _note(call: Syscall | Begun, position: int) -> str | None:
    """Return what `-y` shows of a descriptor; the first argument is nearly always read without parsing the rest."""
    plain = _NOTED(call.body) if position == 0 else None
    return note_of(call.arg(position)) if plain is None else plain[1]


def _met_first(action: Action, call: Syscall | Begun, position: int, number: int | None) -> Descriptor | None:
    """Resolve a number that the caller's table does not hold so far: another thread may have made the descriptor."""
    found = look_up(action, number)
    if found is None or found.opened is not None or action.kernel.process_table.strangers.count <= 1:
        return found
    note = note_of(call.arg(position))
    if note is not None and with_maker(action.kernel, action.process, found.number, note):
        return look_up(action, number)
    return found


def contradicts(file: OpenFile, number: int | None, body: str) -> bool:
    """Whether the note of `-y` on a number shows another kind of object than the description is."""
    kind = file.kind
    if kind is _UNKNOWN:
        return False
    at = body.find("<", 0, _NUMBER) + 1
    is_path = at > 0 and body[at : at + 1] == "/"
    if at <= 0 or (is_path and kind is _FILE and not file.arrived) or not body.startswith(f"{number}<"):
        return False
    if kind is _FILE:
        if file.arrived and is_path:
            return file.known_path is not None and not body.startswith(file.known_path, at)
        return not is_path and body.startswith(_NO_PATHS, at)
    return is_path and kind is Kind.SOCKET


def _worth_reading(file: OpenFile) -> bool:
    """Whether an annotation may still show something new: parsing all of them would cost more than it yields."""
    if file.kind is Kind.UNKNOWN:
        return True
    socket = file.socket
    return socket is not None and (socket.protocol is None or not (socket.named or socket.accepting))


def _touch(action: Action, descriptor: Descriptor, call: Syscall) -> None:
    if call.name != "close":
        descriptor.file.used = call
    readiness = descriptor.readiness
    if readiness is not None:
        readiness.touch(call)
        return
    for turn in action.thread.rounds.values():
        if descriptor.opened is None and (report := _by_number(turn, descriptor)) is not None:
            report.touch(call)
            return
        if turn.first is None and descriptor is not turn.set_descriptor:
            turn.first = descriptor
            _by_first_use(turn, descriptor, call)


def _by_number(turn: Round, descriptor: Descriptor) -> Readiness | None:
    """Return the report whose data equals the descriptor's number, if its creation and registration were not traced."""
    for report in turn.reports:
        if report.descriptor is None and report.data == descriptor.number and turn.epoll is not None:
            _infer(turn.epoll, report, descriptor)
            return report
    return None


def _by_first_use(turn: Round, descriptor: Descriptor, call: Syscall) -> None:
    """Bind a report with unknown data to the first descriptor read after it: its registration was not traced."""
    if len(turn.reports) != 1 or call.name not in _READS:
        return
    report = turn.reports[0]
    if report.descriptor is not None or turn.epoll is None or report.data is None:
        return
    _infer(turn.epoll, report, descriptor)
    report.touch(call)


def _infer(epoll: EpollSet, report: Readiness, descriptor: Descriptor) -> None:
    """Assume that the set has an entry for a descriptor, although its EPOLL_CTL_ADD was not traced."""
    entry = Registration(epoll, descriptor.number, descriptor.file, descriptor, None, report.data, None)
    epoll.add(entry)
    bind_report(report, entry, descriptor.table)


def bind_report(report: Readiness, entry: Registration, table: DescriptorTable) -> None:
    """Bind what a wait reported to a registration, and to its descriptor in the waiting process."""
    descriptor = entry.descriptor
    if descriptor.table is not table:
        descriptor = _inherited(entry, table) or descriptor
    report.registration = entry
    report.descriptor = descriptor
    report.number = entry.number
    descriptor.readiness = report
    descriptor.waited_for = descriptor.file.waited_for = True


def _inherited(entry: Registration, table: DescriptorTable) -> Descriptor | None:
    """Find the copy in a process that inherited the set by fork: a daemon that forks after its setup."""
    held = table.get(entry.number)
    if held is None or held.file is not entry.file:
        return None
    if entry.descriptor.closed is not None:
        entry.descriptor = held
    if entry.removed is not None and not isinstance(entry.removed, Syscall):
        # The parent had exited before the child's first line, so its exit looked like the last close.
        entry.removed = None
        entry.epoll.add(entry)
    return held

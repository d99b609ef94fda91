"""Event loops: epoll_ctl(2), epoll_wait(2), poll(2), select(2)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tracediag.kernel.action import Action
from tracediag.kernel.calls.subject import bind_report, subject
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.epoll import HANGUPS, EpollSet, Readiness, Registration, Round
from tracediag.kernel.handlers import begins, handles
from tracediag.kernel.numbers import look_up
from tracediag.trace.calls import EPOLL_CTLS, EPOLL_WAITS, IDLES, POLLS, SELECTS
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.values import Array, Structure, Value, bare, items_of, names_of, number_of


def epoll_of(descriptor: Descriptor) -> EpollSet:
    """Return the descriptor's epoll set, which is created if a call uses the descriptor as one."""
    file = descriptor.file
    if file.epoll is None:
        file.epoll = EpollSet()
        file.kind = Kind.EPOLL
    return file.epoll


@handles(*EPOLL_CTLS)
def epoll_ctl(action: Action, call: Syscall) -> None:
    """Add, change or remove an entry; a failed call is resolved to the existing entry.

    An entry that is removed but was never added was added outside the trace.
    """
    if call.errno == "EBADF" and action.process.table.get(call.number(0) or -1) is None:
        return
    holder = look_up(action, call.number(0))
    if holder is None:
        return
    epoll = epoll_of(holder)
    target = subject(action, call, 2)
    number = call.number(2)
    if number is None:
        return
    entry = None if target is None else epoll.find(number, target.file)
    action.registration = entry
    if call.failed:
        return
    operations = names_of(call.arg(1))
    if "EPOLL_CTL_DEL" in operations:
        epoll.removals[number] = call
        if entry is not None:
            epoll.remove(entry, call)
        elif target is not None:
            action.registration = Registration(epoll, number, target.file, target, None, None, None, removed=call)
    elif target is not None:
        action.registration = entry = _put(epoll, target, entry, call, new="EPOLL_CTL_ADD" in operations)
        if entry.added is call:
            entry.added_by = action.process


def _put(epoll: EpollSet, target: Descriptor, entry: Registration | None, call: Syscall, *, new: bool) -> Registration:
    """Add an entry, or change it; one that is changed but was never added was added outside the trace."""
    events, data = _event(call.arg(3))
    if entry is None:
        entry = Registration(epoll, target.number, target.file, target, events, data, call if new else None)
        epoll.add(entry)
    else:
        entry.events, entry.data = events, data
        if data is not None:
            epoll.by_data[data] = entry
    return entry


def _event(value: Value | None) -> tuple[frozenset[str], int | None]:
    """Decode an epoll_event: `{events=EPOLLIN, data=...}`, `{EPOLLIN, {u32=0, u64=0}}`."""
    found = bare(value)
    if not isinstance(found, Structure) or not found.fields:
        return frozenset(), None
    events = found.get("events") or found.fields[0][1]
    data = found.get("data") or (found.fields[1][1] if len(found.fields) > 1 else None)
    return names_of(events), _data(data)


def _data(value: Value | None) -> int | None:
    found = bare(value)
    if isinstance(found, Structure):
        return number_of(found.get("u64") if found.get("u64") is not None else found.get("u32"))
    return number_of(found)


@begins(*EPOLL_WAITS, *POLLS, *SELECTS)
def begin_wait(action: Action, call: Begun) -> None:
    """End the previous turn as soon as the next wait begins."""
    _finish(action, call)


@handles(*EPOLL_WAITS)
def epoll_wait(action: Action, call: Syscall) -> None:
    """Bind each reported event to its registration."""
    if (holder := _waited_on(action, call)) is None:
        return
    action.descriptor = holder
    _finish(action, call)
    epoll = epoll_of(holder)
    _start(action, Round(call, tuple(_epoll_reports(action, epoll, call)), epoll, holder))


def _epoll_reports(action: Action, epoll: EpollSet, call: Syscall) -> Iterator[Readiness]:
    if call.result is None or call.result <= 0:
        return
    for item in _ready_items(call.arg(1)):
        events, data = _event(item)
        report = Readiness(events, None, data)
        entry = None if data is None else epoll.by_data.get(data)
        if entry is not None:
            bind_report(report, entry, action.process.table)
        elif data is not None and (held := action.process.table.get(data)) is not None:
            # Most programs store the number itself; if the registration was not traced this is a guess.
            report.number, report.descriptor = data, held
            held.readiness = report
            held.waited_for = held.file.waited_for = True
        yield report


def _ready_items(value: Value | None) -> tuple[Value, ...]:
    """Return the events of a wait; strace <= 4.10 prints `{{EPOLLIN, ...}}` for the array."""
    found = bare(value)
    if isinstance(found, Structure):
        return tuple(inner for _, inner in found.fields)
    return found.items if isinstance(found, Array) else ()


@handles(*POLLS)
def poll(action: Action, call: Syscall) -> None:
    """Record the descriptors that became ready, from the text after the result: `= 1 ([{fd=5, revents=POLLIN}])`."""
    _finish(action, call)
    _start(action, Round(call, tuple(_poll_reports(action, call))))


def _poll_reports(action: Action, call: Syscall) -> Iterator[Readiness]:
    if call.result is None or call.result <= 0 or not call.detail.startswith("["):
        return
    for item in items_of(next(iter(call.parser(call.detail)), None)):
        if isinstance(item, Structure):
            yield _by_number(action, number_of(item.get("fd")), names_of(item.get("revents")))


@handles(*IDLES)
def sleep(action: Action, call: Syscall) -> None:
    """Record that the thread slept, in every turn that it is handling."""
    action.thread.waits += 1
    for turn in action.thread.rounds.values():
        turn.paused = call


@handles("io_uring_enter")
def enter(action: Action, call: Syscall) -> None:
    """Record that the thread waited, if it asked for a completion: io_uring_enter(2)."""
    subject(action, call)
    if call.number(2):
        sleep(action, call)


_READY_SET = re.compile(r"(in|out|except) \[([^\]]*)\]")
_SET_NUMBER = re.compile(r"\b[0-9]{1,10}+\b")
_SET_EVENTS = {"in": "POLLIN", "out": "POLLOUT", "except": "POLLPRI"}
_ROUNDS = 64
"""Loops that one thread handles within each other; every call is counted in each, so of more the oldest is over."""


@handles(*SELECTS)
def select(action: Action, call: Syscall) -> None:
    """Record the descriptors that became ready, from the text after the result: `= 1 (in [5], left {...})`."""
    _finish(action, call)
    reports = [
        _by_number(action, checked_integer(number), frozenset({_SET_EVENTS[which]}))
        for which, numbers in _READY_SET.findall(call.detail if call.result else "")
        for number in _SET_NUMBER.findall(numbers)
    ]
    _start(action, Round(call, tuple(reports)))


def selected(call: Syscall | Begun, sets: tuple[int, ...] = (1, 2, 3)) -> list[int]:
    """Return the numbers in the sets of a select, in order: set 1 is readfds, 2 writefds, 3 exceptfds."""
    numbers = {number_of(item) for position in sets for item in items_of(call.arg(position))}
    return sorted(number for number in numbers if number is not None)


def _by_number(action: Action, number: int | None, events: frozenset[str]) -> Readiness:
    if "POLLNVAL" in events:
        return Readiness(events, number)  # no such descriptor can exist
    descriptor = look_up(action, number)
    report = Readiness(events, number, descriptor=descriptor)
    if descriptor is not None:
        descriptor.readiness = report
        descriptor.waited_for = descriptor.file.waited_for = True
    return report


def _key(action: Action, call: Syscall | Begun) -> EpollSet | None:
    if call.name not in EPOLL_WAITS:
        return None
    holder = _waited_on(action, call)
    return None if holder is None else epoll_of(holder)


def _waited_on(action: Action, call: Syscall | Begun) -> Descriptor | None:
    """Return the set that a call waits on, even if its number was closed during the wait."""
    number = call.number(0)
    gone = None if number is None else action.process.table.last_closed.get(number)
    close = None if gone is None else gone.closed
    if isinstance(call, Syscall) and not call.failed and isinstance(close, Syscall):
        return gone if call.line < max(close.line, close.end_line) else look_up(action, number)
    return look_up(action, number)


def _finish(action: Action, call: Syscall | Begun) -> None:
    """End the turn of this loop that the thread was handling."""
    turn = action.thread.rounds.pop(_key(action, call), None)
    if turn is None:
        return
    turn.ended_by = call
    _settle(turn)
    action.finished = turn


def _settle(turn: Round) -> None:
    for report in turn.reports:
        if report.descriptor is not None and report.descriptor.readiness is report:
            report.descriptor.readiness = None


def _start(action: Action, turn: Round) -> None:
    if turn.wait.result == 0:
        for other in action.thread.rounds.values():
            other.paused = turn.wait
    rounds = action.thread.rounds
    if len(rounds) >= _ROUNDS:
        _settle(rounds.pop(next(iter(rounds))))
    rounds[turn.epoll] = turn
    action.round = turn
    action.thread.waits += 1
    for report in turn.reports:
        if report.descriptor is None or not report.events & HANGUPS:
            continue
        socket = report.descriptor.file.socket
        if socket is not None and socket.hung_up is None:
            socket.hung_up = turn.wait
            socket.hung_up_events = report.events

"""Descriptors passed between processes: SCM_RIGHTS of sendmsg(2) and recvmsg(2), pidfd_getfd(2)."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.kernel.action import Action
from tracediag.kernel.calls.opening import annotate
from tracediag.kernel.calls.subject import subject
from tracediag.kernel.calls.transfer import receive, transmit
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.handlers import begins, handles
from tracediag.kernel.learning import learn
from tracediag.kernel.numbers import install, look_up
from tracediag.kernel.rights import Passed
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.calls import MESSAGE_RECEIVES, MESSAGE_SENDS
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.numbers import identifier
from tracediag.trace.values import Structure, Symbol, Value, bare, items_of, note_of, number_of, walk

_RIGHTS = "SCM_RIGHTS"
"""Searched for in the text, because few messages carry descriptors and parsing the others would be wasted."""
"""The reads that have room for descriptors; all others throw them away."""


@begins(*MESSAGE_SENDS)
def begin_send(action: Action, call: Begun) -> None:
    """Record the descriptors in the message, which may be received before the call returns."""
    if call.has(_RIGHTS):
        _pass_on(action, call)


@handles(*MESSAGE_SENDS)
def send_message(action: Action, call: Syscall) -> None:
    """Send data, and descriptors if the message carries any."""
    transmit(action, call)
    if not call.has(_RIGHTS):
        return
    begun = action.thread.inside
    passed_on = begun is not None and begun.line == call.line and begun.has(_RIGHTS)
    if call.failed:
        action.kernel.rights.withdraw(call.line)
    elif not passed_on:
        _pass_on(action, call)


def _pass_on(action: Action, call: Syscall | Begun) -> None:
    sender = look_up(action, call.number(0))
    for items in carried(call):
        held = [(look_up(action, number_of(item)), note_of(item)) for item in items]
        files = [file.file for file, _ in held if file is not None]
        if len(files) == len(items):
            notes = tuple(note for _, note in held)
            to = None if sender is None else sender.file.other
            action.kernel.rights.send(Passed(call, tuple(files), notes, to))


@handles(*MESSAGE_RECEIVES)
def receive_message(action: Action, call: Syscall) -> None:
    """Receive data, and descriptors if the message carries any; they get new numbers in the receiver."""
    held = look_up(action, call.number(0))
    lost_before = 0 if held is None else _last_read_without_room(held.file)
    receive(action, call)
    if held is None or call.failed:
        return
    if call.has(_RIGHTS):
        for items in carried(call):
            _take(action, call, held, items, lost_before)
    elif call.has("MSG_CTRUNC"):
        action.kernel.rights.lose(held.file)


def _last_read_without_room(file: OpenFile) -> int:
    """Return the line of the last read that had no room for descriptors, 0 if there was none."""
    last = None if file.socket is None else file.socket.last_read
    return 0 if last is None or last.name in MESSAGE_RECEIVES else last.line


def _take(action: Action, call: Syscall, by: Descriptor, items: tuple[Value, ...], unread_since: int) -> None:
    notes = tuple(note_of(item) for item in items)
    peek = call.has("MSG_PEEK")
    passed = action.kernel.rights.receive(by.file, notes, unread_since=unread_since, peek=peek)
    for place, (item, note) in enumerate(zip(items, notes, strict=True)):
        number = number_of(item)
        if number is None or number < 0:
            continue
        file = OpenFile() if passed is None else passed.files[place]
        if note is not None and passed is None:
            learn(action.kernel.endpoints, file, parse_annotation(note))
        install(action, number, file, cloexec=call.has("MSG_CMSG_CLOEXEC"))


def carried(call: Syscall | Begun) -> Iterator[tuple[Value, ...]]:
    """Yield the descriptors of each SCM_RIGHTS of a message: `cmsg_data=[3, 4]`; up to 4.10 without the field name."""
    header = call.arg(1)
    for value in () if header is None else walk(header):
        if isinstance(value, Structure) and value.get("cmsg_type") == Symbol(_RIGHTS):
            data = bare(value.get("cmsg_data") or value.fields[-1][1])
            # strace before 4.10 used braces.
            items = tuple(item for _, item in data.fields) if isinstance(data, Structure) else items_of(data)
            if items:
                yield items


@handles("pidfd_getfd")
def pidfd_getfd(action: Action, call: Syscall) -> None:
    """Copy a descriptor of another process; the copy always has FD_CLOEXEC."""
    pidfd = subject(action, call)
    if call.result is None or call.result < 0:
        return
    file = None if pidfd is None else _held_by(action, _pid_of(call, pidfd), call.number(1))
    if file is None:
        file = OpenFile()
        annotate(action, file, call)
    install(action, call.result, file, cloexec=True)


def _pid_of(call: Syscall, pidfd: Descriptor) -> int | None:
    """Return the process that a pidfd refers to, from its annotation or the call that created it."""
    note = note_of(call.arg(0))
    pid_text = "" if note is None else parse_annotation(note).local
    if (pid := identifier(pid_text)) is not None:
        return pid
    opened = pidfd.file.opened
    return opened.number(0) if opened is not None and opened.name == "pidfd_open" else None


def _held_by(action: Action, pid: int | None, number: int | None) -> OpenFile | None:
    thread = action.kernel.process_table.find(pid)
    held = None if thread is None or number is None else thread.process.table.get(number)
    return None if held is None else held.file

"""Calls that map memory and truncate files: mmap(2), munmap(2), mremap(2), brk(2), truncate(2)."""

from __future__ import annotations

from tracediag.kernel.action import Action
from tracediag.kernel.address_space import Cut, Mapping
from tracediag.kernel.calls.subject import subject
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.handlers import handles
from tracediag.kernel.numbers import look_up
from tracediag.trace.calls import FTRUNCATES, MAPS, TRUNCATES
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import identifier
from tracediag.trace.values import text_of

_ANONYMOUS = ", -1, 0"


@handles(*MAPS)
def mmap(action: Action, call: Syscall) -> None:
    """Record the mapping unparsed, since few rules ever look it up."""
    if call.errno is not None or call.result is None:
        return
    body = call.body
    if body.endswith(_ANONYMOUS):
        action.thread.process.space.add(Mapping(call, None))
        return
    before = body[: body.rfind(", ")]
    digits = before[before.rfind(", ") + 2 :].partition("<")[0]
    number = identifier(digits)
    process = action.thread.process
    held = None if number is None else process.table.open.get(number)  # nearly always
    held = held or look_up(action, call.number(4) if number is None else number)
    process.space.add(Mapping(call, None if held is None else held.file))


@handles("mremap")
def mremap(action: Action, call: Syscall) -> None:
    """Record that a mapping moved or changed its length."""
    old = call.number(0)
    if call.result is None or call.failed or old is None:
        return
    known = action.process.space.find(old)
    action.process.space.add(Mapping(call, None if known is None else known.file))


@handles("brk")
def brk(action: Action, call: Syscall) -> None:
    """Record where the heap begins and ends."""
    space = action.process.space
    if call.result:
        space.top = (call if space.top is None else space.top[0], call)


@handles("munmap")
def munmap(action: Action, call: Syscall) -> None:
    """Record the munmap."""
    if call.result == 0:
        action.process.space.unmaps.append(call)


@handles(*FTRUNCATES)
def ftruncate(action: Action, call: Syscall) -> None:
    """Record the new length of an open file."""
    descriptor = subject(action, call)
    if descriptor is not None and call.result == 0:
        action.kernel.cuts.append(Cut(call, descriptor.file, descriptor.file.path, call.number(1)))


@handles(*TRUNCATES)
def truncate(action: Action, call: Syscall) -> None:
    """Record the new length of a file given by path."""
    path = text_of(call.arg(0))
    if path is not None and call.result == 0:
        action.kernel.cuts.append(Cut(call, None, str(path), call.number(1)))


def opened_empty(action: Action, call: Syscall, file: OpenFile) -> None:
    """Note an open that truncated or created the file."""
    action.kernel.cuts.append(Cut(call, file, file.path, 0))

"""Parts of an explanation in words: which process made the call, its parameters, and what it created."""

from __future__ import annotations

import posixpath

from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.overviews.descriptors import open_descriptor
from tracediag.overviews.explaining.sentences import held_by
from tracediag.overviews.touching import DESCRIPTORS
from tracediag.results.explanation import Parameter
from tracediag.trace.events import Call, Syscall
from tracediag.trace.values import number_of


def caller(process: Process, call: Call, threads: int) -> str:
    """Return the process, or the thread if it is one of several, with the name of its program."""
    program = posixpath.basename(process.program or "")
    name = f" ({program})" if program else ""
    if call.pid is None:
        return f"the process{name}"
    return f"thread {call.pid}{name}" if threads > 1 and call.pid != process.pid else f"pid {call.pid}{name}"


def parameter(name: str, text: str, place: int, call: Syscall, process: Process) -> Parameter:
    """Return an argument with its name and, if it is a descriptor, what that refers to."""
    meaning = ""
    if name in DESCRIPTORS and not (name == "newfd" and call.name.startswith("dup")):
        number = number_of(call.arg(place))
        if number is not None and number >= 0:
            held = held_by(process, number)
            meaning = "not open as far as the trace shows" if held is None else _since(held, process)
    return Parameter(name, text, meaning)


def _since(descriptor: Descriptor, process: Process) -> str:
    """Return what a descriptor is and since when: `TCP listener 127.0.0.1:80, from socket at line 12, nonblock`."""
    shown = open_descriptor(descriptor, process)
    born = "there before the trace" if shown.line is None else f"from {shown.call} at line {shown.line:,}"
    return ", ".join(part for part in (shown.what or "", born, shown.origin, *shown.flags, *shown.condition) if part)


def created(result: str, action: Action) -> str:
    """Return what a call created, or its result if it created nothing."""
    if not action.opened:
        return result
    return "creates " + " and ".join(describe(descriptor) for descriptor in action.opened)

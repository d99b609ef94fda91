"""Which process of the trace executes a file that is to be written, or writes one that is to be executed: ETXTBSY."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from tracediag.evidence.complaints import target
from tracediag.evidence.names import process_name
from tracediag.kernel.process import Process
from tracediag.trace.calls import EXECS
from tracediag.trace.events import Syscall

_MOST = 256
"""Processes of a family that are looked at."""
_WRITING = frozenset({"O_WRONLY", "O_RDWR"})


def user_of(process: Process, call: Syscall) -> str | None:
    """Return the name of the process that makes a call fail with ETXTBSY; None if the trace does not show it."""
    path = target(call)
    if call.errno != "ETXTBSY" or path is None:
        return None
    wanted, uses = _absolute(process, path), _writes if call.name in EXECS else _executes
    found = next((other for other in _family(process) if uses(other, wanted)), None)
    return None if found is None else process_name(found)


def _family(process: Process) -> Iterator[Process]:
    """Yield the process, its ancestors, and all that they have created and not reaped."""
    top = process
    for _ in range(_MOST):
        if top.parent is None:
            break
        top = top.parent
    left, seen = [process, top], 0
    while left and seen < _MOST:
        one = left.pop(0)
        yield one
        seen += 1
        left += [child for child in one.children.values() if child is not process]


def _executes(process: Process, path: str) -> bool:
    return process.exit is None and process.program is not None and _absolute(process, process.program) == path


def _writes(process: Process, path: str) -> bool:
    return any(
        held.file.path is not None and held.file.flags.access in _WRITING and _absolute(process, held.file.path) == path
        for held in process.table
    )


def _absolute(process: Process, path: str) -> str:
    return posixpath.normpath(posixpath.join(process.place.cwd or "", path))

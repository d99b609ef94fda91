"""What the number in the first argument of a call referred to: of a failed call, judged later, as it was then."""

from __future__ import annotations

import posixpath

from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.process import Process
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.events import Syscall
from tracediag.trace.parameters import names
from tracediag.trace.values import note_of

_DESCRIPTORS = frozenset({"fd", "dirfd", "olddirfd", "oldfd"})
_NUMBERS = 1 << 20
"""Larger arguments are no descriptor."""


def file_of(process: Process, call: Syscall) -> str | None:
    """Return the path of the file or directory that the first argument of a call referred to.

    By strace's annotation (-y), else by the descriptor of the model that was open then; None if neither knows a path.
    """
    number, parameters = call.number(0), names(call.name) or ("",)
    if number is None or not 0 <= number < _NUMBERS or parameters[0] not in _DESCRIPTORS:
        return None
    note = note_of(call.arg(0))
    if note is not None:
        path = parse_annotation(note).path
        return path if path.startswith("/") else None
    held = _held(process, number, call.line)
    return None if held is None or held.file.kind is Kind.SOCKET else _path(process, held)


def _path(process: Process, held: Descriptor) -> str | None:
    """Return the path with which a file was opened, with that of its directory if the call named one by its number."""
    path, opened = held.file.path, held.file.opened
    if path is None or path.startswith("/") or opened is None:
        return path
    number = opened.number(0)
    directory = None if number is None else _held(process, number, opened.line)
    above = None if directory is None else directory.file.path
    return path if above is None else posixpath.join(above, path)


def _held(process: Process, number: int, line: int) -> Descriptor | None:
    """Return the incarnation that had a number at a line, of those that the model still knows."""
    latest = (process.table.get(number), process.table.last_closed.get(number))
    known = [held for held in latest if held is not None]
    known += [held.before for held in known if held.before is not None]
    return next((held for held in known if _lived(held, line)), None)


def _lived(held: Descriptor, line: int) -> bool:
    born = held.opened is None or held.opened.line < line
    return born and (held.closed is None or held.closed.line > line)

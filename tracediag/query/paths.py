"""The paths that a call names, made absolute where the trace shows the directory."""

from __future__ import annotations

import posixpath
from functools import cache

from tracediag.trace.annotations import parse_annotation
from tracediag.trace.calls import SYSCALLS
from tracediag.trace.events import Syscall
from tracediag.trace.parameters import names
from tracediag.trace.values import note_of, text_of

_PATHS = frozenset({"pathname", "path", "oldpath", "newpath", "filename", "linkpath"})
_DIRECTORIES = frozenset({"dirfd", "olddirfd", "newdirfd", "fd"})
_NOTED = ("/", "\\x2f")


@cache
def calls_with_paths() -> frozenset[str]:
    """Return the calls that take a path."""
    return frozenset(name for name in SYSCALLS if _places(name))


def paths_of(call: Syscall) -> tuple[str, ...]:
    """Return the paths that a call names, in order; those that the trace does not show are left out."""
    return tuple(found for path, directory in _places(call.name) if (found := _path(call, path, directory)) is not None)


def _path(call: Syscall, path: int, directory: int | None) -> str | None:
    found = call.path(path) if path == 0 else text_of(call.arg(path))
    if found is None:
        return None
    shown = str(found)
    if directory is None or shown.startswith("/") or not shown:
        return shown
    note = note_of(call.arg(directory))
    if note is None or not note.startswith(_NOTED):
        return shown
    return posixpath.normpath(posixpath.join(parse_annotation(note).path, shown))


@cache  # only for names of calls, which are bounded by the check
def _known(call: str) -> tuple[tuple[int, int | None], ...]:
    parameters = names(call) or ()
    found: list[tuple[int, int | None]] = []
    for place, name in enumerate(parameters):
        if name in _PATHS:
            before = parameters[place - 1] if place else ""
            found.append((place, place - 1 if before in _DIRECTORIES else None))
    return tuple(found)


def _places(call: str) -> tuple[tuple[int, int | None], ...]:
    """Return where a call has its paths, each with the place of its directory, if it has one."""
    return _known(call) if call in SYSCALLS else ()

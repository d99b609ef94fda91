"""The paths that a call names, made absolute where the trace shows the directory."""

from __future__ import annotations

import posixpath
import re
from functools import cache

from tracediag.kernel.locating import absolute
from tracediag.kernel.process import Thread
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.calls import SYSCALLS
from tracediag.trace.events import Syscall
from tracediag.trace.parameters import names
from tracediag.trace.values import note_of, text_of

_PATHS = frozenset({"pathname", "path", "oldpath", "newpath", "filename", "linkpath"})
_DIRECTORIES = frozenset({"dirfd", "olddirfd", "newdirfd", "fd"})
_NOTED = ("/", "\\x2f")
_USUAL = re.compile(r'[\w-]++(?:<(/[^<>"\\]*+)>)?, "([^"\\]*+)"(?=,|$)').match
"""A directory and a path at the start of the arguments, without escapes: most are so, and need no parsing."""


@cache
def calls_with_paths() -> frozenset[str]:
    """Return the calls that take a path."""
    return frozenset(name for name in SYSCALLS if places_of(name))


def paths_of(call: Syscall) -> tuple[str, ...]:
    """Return the paths that a call names, in order; those that the trace does not show are left out."""
    return tuple(
        found for path, directory in places_of(call.name) if (found := _path(call, path, directory)) is not None
    )


def known_paths(call: Syscall, thread: Thread) -> set[str]:
    """Return the paths that a call names: each as the program passed it, and absolute where the model knows that."""
    found: set[str | None] = set()
    for path, directory in places_of(call.name):
        found |= {shown_path(call, path), absolute(call, thread, path, directory)}
    return {path for path in found if path}


def shown_path(call: Syscall, path: int) -> str | None:
    """Return a path of a call as the program passed it; None if the trace does not show it."""
    if path == 0:
        return call.path(0)
    found = text_of(call.arg(path))
    return None if found is None else str(found)


def _path(call: Syscall, path: int, directory: int | None) -> str | None:
    shown = shown_path(call, path)
    if not shown or directory is None or shown.startswith("/"):
        return shown
    note = note_of(call.arg(directory))
    if note is None or not note.startswith(_NOTED):
        return shown
    return posixpath.normpath(posixpath.join(parse_annotation(note).path, shown))


def _places(call: str) -> tuple[tuple[int, int | None], ...]:
    parameters = names(call) or ()
    found: list[tuple[int, int | None]] = []
    for place, name in enumerate(parameters):
        if name in _PATHS:
            before = parameters[place - 1] if place else ""
            found.append((place, place - 1 if before in _DIRECTORIES else None))
    return tuple(found)


_PLACES: dict[str, tuple[tuple[int, int | None], ...]] = {}
"""By call, for the calls that have been asked about; bounded, because only known names are kept."""


def places_of(call: str) -> tuple[tuple[int, int | None], ...]:
    """Return where a call has its paths, each with the place of its directory, if it has one."""
    found = _PLACES.get(call)
    if found is None:
        if call not in SYSCALLS:
            return ()
        found = _PLACES[call] = _places(call)
    return found

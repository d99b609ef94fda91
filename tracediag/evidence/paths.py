"""Paths that calls name, joined to their directory, and the files they refer to."""

from __future__ import annotations

import posixpath

from tracediag.kernel import Action
from tracediag.kernel.descriptor import Kind, OpenFile
from tracediag.kernel.process import Process
from tracediag.trace.calls import FTRUNCATES, TRUNCATES
from tracediag.trace.events import Syscall
from tracediag.trace.values import note_of, number_of, text_of

_PLACES: dict[str, tuple[tuple[int | None, int], ...]] = {
    **dict.fromkeys(("unlink", "rmdir", "mkdir", "mknod", "open", "creat", "chdir", *TRUNCATES), ((None, 0),)),
    **dict.fromkeys(("chmod", "chown", "chown32", "lchown", "lchown32", "execve"), ((None, 0),)),
    **dict.fromkeys(
        ("unlinkat", "mkdirat", "mknodat", "openat", "openat2", "fchmodat", "fchmodat2", "fchownat"), ((0, 1),)
    ),
    **dict.fromkeys(("rename", "link"), ((None, 0), (None, 1))),
    **dict.fromkeys(("renameat", "renameat2", "linkat"), ((0, 1), (2, 3))),
    "symlink": ((None, 1),),
    "symlinkat": ((1, 2),),
    "mount": ((None, 1),),
}
"""The arguments of each call: (directory descriptor or None for the working directory, path)."""


def places(call: Syscall, process: Process) -> tuple[str, ...]:
    """Return the paths that a call names, in order; "" for a path that the trace does not show in full."""
    return tuple(_place(call, process, directory, path) for directory, path in _PLACES.get(call.name, ()))


def _place(call: Syscall, process: Process, directory: int | None, position: int) -> str:
    path = text_of(call.arg(position))
    if path is None or path.shortened or not path.data:
        return ""
    base = None if directory is None else _directory(call, process, directory)
    return posixpath.normpath(str(path) if base is None else posixpath.join(base, str(path)))


def _directory(call: Syscall, process: Process, position: int) -> str | None:
    """Return the directory that a path is relative to; None for a working directory that is not known."""
    value = call.arg(position)
    note, number = note_of(value), number_of(value)
    if note is not None or number is None:
        return note
    held = process.table.get(number)
    return f"<fd {number}>" if held is None or held.file.path is None else held.file.path


def path_of(file: OpenFile, process: Process) -> str | None:
    """Return the path of an open file, joined to its directory if it was opened by openat."""
    path = file.path
    if file.kind is not Kind.FILE or path is None:
        return None
    if path.startswith("/") or file.opened is None:
        return path
    return next(iter(places(file.opened, process)), path)


def undoes(action: Action, file: OpenFile) -> bool:
    """Whether an unlink or ftruncate is made on an open file: the program has then seen that a write failed."""
    call = action.call
    if call.name in FTRUNCATES:
        held = action.process.table.get(call.number(0) or 0)
        return held is not None and held.file is file
    path = text_of(call.arg(1 if call.name == "unlinkat" else 0))
    return path is not None and file.path is not None and name_of(str(path)) == name_of(file.path)


def same(one: str, other: str) -> bool:
    """Whether two paths may name the same file: a relative path matches every absolute path that ends in it."""
    if one == other or not one or not other:
        return one == other != ""
    if one.startswith("/") == other.startswith("/"):
        return False
    absolute, relative = (one, other) if one.startswith("/") else (other, one)
    return not relative.startswith("..") and absolute.endswith(f"/{relative}")


def name_of(path: str) -> str:
    """Return the last part of a path."""
    return posixpath.basename(path)

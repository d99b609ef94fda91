"""Makes the paths of a call absolute, as far as the trace shows the directories that they start from."""

from __future__ import annotations

from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.process import Thread
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.values import note_of, number_of, text_of

_DEEPEST = 16
"""Directories opened relative to another one; a walk through a tree opens one in the other."""


def absolute(
    call: Syscall | Begun, thread: Thread, path: int | str = "path", at: int | str | None = None
) -> str | None:
    """Return a path of a call as an absolute one; None where the trace does not show all of it.

    Args:
        call: the call; it may be an earlier one of the thread.
        thread: the thread that made it.
        path: the argument that is the path, by position or name.
        at: the argument that is the descriptor of its directory; None for the working directory.
    """
    return _absolute(call, thread, path, at, _DEEPEST)


def directory(call: Syscall | Begun, thread: Thread, at: int | str) -> str | None:
    """Return the path of a directory that a call has as a descriptor or AT_FDCWD; None where it is not shown."""
    return _directory(call, thread, at, _DEEPEST)


def location(file: OpenFile, thread: Thread) -> str | None:
    """Return the absolute path of a file that the process of a thread has opened; None where it is not shown."""
    return _location(file, thread, _DEEPEST)


def _absolute(call: Syscall | Begun, thread: Thread, path: int | str, at: int | str | None, depth: int) -> str | None:
    text = text_of(call.arg(path))
    if text is None or text.shortened or not text.data:
        return None
    if text.data.startswith(b"/"):
        return thread.place.absolute(str(text), None)
    base = thread.place.cwd_at(call.line) if at is None else _directory(call, thread, at, depth)
    return None if base is None else thread.place.absolute(str(text), base)


def _directory(call: Syscall | Begun, thread: Thread, at: int | str, depth: int) -> str | None:
    value = call.arg(at)
    note, number = note_of(value), number_of(value)
    if note is not None:
        return note if note.startswith("/") else None
    if number is None:
        return thread.place.cwd_at(call.line)
    held = thread.process.table.get(number)
    if held is None or depth == 0 or (held.opened is not None and held.opened.line > call.line):
        return None
    return _location(held.file, thread, depth - 1)


def _location(file: OpenFile, thread: Thread, depth: int) -> str | None:
    path, opened = file.path, file.opened
    if path is None:
        return None
    if opened is None or opened.detail == path:  # the note of -y
        return path if path.startswith("/") else None
    at = "dirfd" if opened.name in ("openat", "openat2") else None
    return _absolute(opened, thread, "path", at, depth)

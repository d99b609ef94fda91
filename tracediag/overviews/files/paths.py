"""The paths of a call for `files`: absolute where that is known, most of them without parsing the arguments."""

from __future__ import annotations

import re

from tracediag.kernel.locating import absolute
from tracediag.kernel.place import Place
from tracediag.kernel.process import Thread
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.events import Syscall
from tracediag.trace.values import note_of, text_of

_AFTER_DIRECTORY = re.compile(r'(AT_FDCWD|[0-9]++)(?><(/[^<>"\\]*+)>)?+, "([^"\\]*+)"(?=,|$)').match
_WORKING_DIRECTORY = re.compile(r'AT_FDCWD<(/[^<>"\\]*+)>').match
_FIRST = re.compile(r'"([^"\\]*+)"(?=,|$)').match
"""A path without escapes at the start of the arguments: most are so, and need no parsing."""
_ABSOLUTE = re.compile(r'(?>(?>AT_FDCWD|[0-9]++)(?><[^<>"\\]*+>)?+, )?+"((?>/[^/".\\][^/"\\]*+)++)"(?=,|$)').match
"""The same where it is absolute and no part of it begins with a dot: it stands for itself."""
PLAIN_NOTE = re.compile(r"[0-9]{1,10}+<(/[^<>\\]*+)>").match
"""The path of the first descriptor, where it is plain."""
_NO_FILE = re.compile(r"[0-9]{1,10}+<[A-Za-z][\w-]*+:\[").match
"""The first descriptor where it is a pipe, a socket and the like."""
_LATER_NOTES = {
    2: re.compile(r"[^,\"]++, (?>NULL|\[[0-9]++\]), [0-9]{1,10}+<(/[^<>\\]*+)>").match,
    4: re.compile(r"(?>[^,\"]++, ){4}[0-9]{1,10}+<(/[^<>\\]*+)>").match,
}
"""The same for later arguments, by their position: the target of copy_file_range(2) and splice(2), the file of mmap(2).
No argument before it may hold a comma."""
_NO_PATH = re.compile(r'[^,"]++, NULL, ').match
"""The begin of a call on a descriptor that takes NULL for a path: utimensat(2)."""


def given_path(thread: Thread, call: Syscall, key: str, at: str | None) -> str | None:
    """Return a path of a call, absolute where that is known; None if the trace does not show it."""
    if key == "path":
        place = thread.place
        if place.root == "/":
            if (found := _ABSOLUTE(call.body)) is not None:
                return found[1]
            if (quick := _quickly(call, place, after=at is not None)) is not None:
                return quick
            if at is not None and _NO_PATH(call.body) is not None:
                return None
    whole = absolute(call, thread, key, at if at is not None and at in call else None)
    if whole is not None:
        return whole
    text = text_of(call.arg(key))
    return None if text is None or not text.data else str(text)


def noted_path(call: Syscall, position: int = 0) -> str | None:
    """Return the path that `-y` shows of a descriptor argument; "" for what is no file, None where it shows nothing."""
    body = call.body
    expression = PLAIN_NOTE if position == 0 else _LATER_NOTES.get(position)
    found = None if expression is None else expression(body)
    if found is not None:
        return found[1]
    if position == 0 and _NO_FILE(body) is not None:
        return ""
    note = note_of(call.arg(position))
    if note is None:
        return None
    shown = parse_annotation(note)
    return shown.path if shown.kind in ("path", "device") else ""


def learn_directory(place: Place, call: Syscall, given: str, path: str) -> None:
    """Learn the working directory from the note of AT_FDCWD, or from a relative path and the note of what it opened."""
    found = _WORKING_DIRECTORY(call.body)
    if found is not None:
        place.show(call.line, found[1])
    elif call.body.startswith(('"', "AT_FDCWD,")) and not given.startswith((".", "/")) and path.endswith(f"/{given}"):
        place.show(call.line, path.removesuffix(given).rstrip("/") or "/")


def _quickly(call: Syscall, place: Place, *, after: bool) -> str | None:
    """Return the first path of a call as an absolute one if its text is plain; None where it must be parsed."""
    found = _AFTER_DIRECTORY(call.body) if after else _FIRST(call.body)
    if found is None:
        return None
    number, directory, path = found.groups() if after else ("AT_FDCWD", None, found[1])
    if not path or path[0] == "." or path[-1] == "/" or "/." in path or "//" in path:
        return None
    if path[0] == "/":
        return path
    base = directory or (place.cwd if number == "AT_FDCWD" and place.stays[-1][0] <= call.line else None)
    return None if base is None else f"{base.rstrip('/')}/{path}"

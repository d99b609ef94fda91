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
_FIFTH_NOTE = re.compile(r"(?>[^,\"]++, ){4}[0-9]{1,10}+<(/[^<>\\]*+)>").match
_OF_MAP = 4
"""The descriptor of mmap(2) is its fifth argument."""


def given_path(thread: Thread, call: Syscall, key: str, at: str | None) -> str | None:
    """Return a path of a call, absolute where that is known; None if the trace does not show it."""
    if key == "path":
        place = thread.place
        if place.root == "/":
            if (found := _ABSOLUTE(call.body)) is not None:
                return found[1]
            if (quick := _quickly(call, place, after=at is not None)) is not None:
                return quick
    whole = absolute(call, thread, key, at if at is not None and at in call else None)
    if whole is not None:
        return whole
    text = text_of(call.arg(key))
    return None if text is None or not text.data else str(text)


def noted_path(call: Syscall, position: int = 0) -> str | None:
    """Return the path that `-y` shows of a descriptor argument; "" for what is no file, None where it shows nothing."""
    found = PLAIN_NOTE(call.body) if position == 0 else _FIFTH_NOTE(call.body) if position == _OF_MAP else None
    if found is not None:
        return found[1]
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

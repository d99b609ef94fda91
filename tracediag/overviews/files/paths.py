"""The paths of a call for `files`: absolute where that is known, most of them without parsing the arguments."""

from __future__ import annotations

import re

from tracediag.kernel import Action
from tracediag.kernel.locating import absolute
from tracediag.kernel.place import Place
from tracediag.trace.events import Syscall
from tracediag.trace.values import text_of

_AFTER_DIRECTORY = re.compile(r'(AT_FDCWD|[0-9]++)(?><(/[^<>"\\]*+)>)?+, "([^"\\]*+)"(?=,|$)').match
_WORKING_DIRECTORY = re.compile(r'AT_FDCWD<(/[^<>"\\]*+)>').match
_FIRST = re.compile(r'"([^"\\]*+)"(?=,|$)').match
"""A path without escapes at the start of the arguments: most are so, and need no parsing."""


def given_path(action: Action, call: Syscall, key: str, at: str | None) -> str | None:
    """Return a path of a call, absolute where that is known; None if the trace does not show it."""
    quick = _quickly(call, action.thread.place, after=at is not None) if key == "path" else None
    if quick is not None:
        return quick or None
    found = absolute(call, action.thread, key, at if at is not None and at in call else None)
    if found is not None:
        return found
    text = text_of(call.arg(key))
    return None if text is None or not text.data else str(text)


def learn_directory(place: Place, call: Syscall, given: str, path: str) -> None:
    """Learn the working directory from the note of AT_FDCWD, or from a relative path and the note of what it opened."""
    found = _WORKING_DIRECTORY(call.body)
    if found is not None:
        place.show(call.line, found[1])
    elif call.body.startswith(('"', "AT_FDCWD,")) and not given.startswith((".", "/")) and path.endswith(f"/{given}"):
        place.show(call.line, path.removesuffix(given).rstrip("/") or "/")


def _quickly(call: Syscall, place: Place, *, after: bool) -> str | None:
    """Return the absolute first path of a call if its text is plain; None where it must be parsed.

    With AT_EMPTY_PATH it is "": the call is about the descriptor.
    """
    found = _AFTER_DIRECTORY(call.body) if after else _FIRST(call.body)
    if found is None or place.root != "/":
        return None
    number, directory, path = found.groups() if after else ("AT_FDCWD", None, found[1])
    if not path:
        return ""
    if path[0] == "." or path[-1] == "/" or "/." in path or "//" in path:
        return None
    if path[0] == "/":
        return path
    base = directory or (place.cwd if number == "AT_FDCWD" and place.stays[-1][0] <= call.line else None)
    return None if base is None else f"{base.rstrip('/')}/{path}"

"""The processes that have a name, from /proc: without pgrep(1)."""

from __future__ import annotations

import os

from tracediag.recording.errors import RecordingError
from tracediag.recording.proc.texts import fields, link, number, numbers, text

_DIGITS = 20
"""More than any pid has: a longer number is a name."""
_SCRIPT_AT = 2
"""A script is the first or second argument of its interpreter: `python3 -u app.py`."""


def pids_of(wanted: str) -> list[int]:
    """Return the pid that the text is, or the pids of the processes that have this name.

    The name is that of the program, of its thread (`ps -o comm`), or of the script that an interpreter runs.

    Raises:
        RecordingError: if no process has it.
    """
    if wanted.isascii() and wanted.isdecimal() and len(wanted) <= _DIGITS:
        return [int(wanted)]
    ours = _own_line()
    found = [pid for pid in numbers("/proc") if pid not in ours and wanted in _names(pid)]
    if not found:
        raise RecordingError(f"no process is named {wanted!r}: ps -e lists them; -p takes a pid as well")
    return found


def _names(pid: int) -> set[str]:
    arguments = text(f"/proc/{pid}/cmdline").rstrip("\0").split("\0")
    paths = [link(f"/proc/{pid}/exe").removesuffix(" (deleted)"), *arguments[: _SCRIPT_AT + 1]]
    names = {path.rpartition("/")[2] for path in paths if not path.startswith("-")}
    return (names | {text(f"/proc/{pid}/comm").strip()}) - {""}


def _own_line() -> set[int]:
    """Return this process and its ancestors: a shell that runs `tracediag run -p NAME` has the name, too."""
    found, pid = set(), os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        pid = number(fields(text(f"/proc/{pid}/status")).get("PPid", ""))
    return found

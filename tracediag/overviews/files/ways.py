"""Which calls `files` is about, and what each does with the path that it names."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from tracediag.trace.calls import (
    CHDIRS,
    CHMODS,
    CHOWNS,
    CLOSES,
    CONTROLS,
    EXECS,
    EXITS,
    FILE_READS,
    FILE_WRITES,
    FORKS,
    FTRUNCATES,
    GETDENTS,
    LINKS,
    LOOKS,
    MAKERS,
    MAPS,
    MESSAGE_RECEIVES,
    MKDIRS,
    MKNODS,
    MOVES,
    OPENS,
    POSITIONED_READS,
    POSITIONED_WRITES,
    REMOVES,
    RENAMES,
    SYMLINKS,
    TRUNCATES,
)
from tracediag.trace.events import Syscall

READS = FILE_READS | POSITIONED_READS
WRITES = FILE_WRITES | POSITIONED_WRITES
_ATTRIBUTES = CHMODS | CHOWNS | TRUNCATES | frozenset({"utime", "utimes", "utimensat", "utimensat_time64", "futimesat"})
_PATHS = OPENS | EXECS | REMOVES | MKDIRS | MKNODS | LOOKS | _ATTRIBUTES | CHDIRS - {"fchdir"}
PAIRS = RENAMES | LINKS | SYMLINKS
MOVED = MOVES - {"splice", "tee"}
CALLS: frozenset[str] = frozenset[str]().union(
    *(_PATHS, PAIRS, READS, WRITES, MOVED, GETDENTS, MAPS, FTRUNCATES),
    *(MAKERS, CLOSES, CONTROLS, FORKS, EXITS, MESSAGE_RECEIVES, CHDIRS),
    ("getcwd", "chroot", "pivot_root", "unshare"),
)
"""What names files or moves their data, and what creates and ends processes, descriptors and working directories."""
LIVES = (FORKS | EXITS | EXECS | CHDIRS) | {"getcwd", "chroot", "pivot_root", "unshare"}
"""What changes who runs which program in which directory."""
OF_NUMBERS = (MAKERS | CLOSES | CONTROLS | MESSAGE_RECEIVES) - OPENS - LIVES
"""What matters only where nothing but a number tells which file a descriptor is."""
IDLE = frozenset(name for name in _PATHS | PAIRS | MAPS | GETDENTS if name not in LIVES | OPENS | TRUNCATES)
"""What changes nothing that a row is made from but the row itself."""
_AT = frozenset(name for name in _PATHS if name.endswith(("at", "at2", "at64", "statx", "time64")))
_OF_LINKS = frozenset({"lstat", "lstat64", "oldlstat"}) | REMOVES
"""Calls on the link itself, not on what it leads to."""


class Way(NamedTuple):
    """How a call uses the path that it names."""

    at: str | None
    """The argument that is the directory of the path."""
    follows: bool
    """Whether the call is on what a symbolic link leads to."""
    use: str
    """What it does where it succeeds; "" for an open."""


_USES = {
    **dict.fromkeys(_ATTRIBUTES, "changed"),
    **dict.fromkeys(EXECS, "executed"),
    **dict.fromkeys(MKDIRS | MKNODS, "created"),
    **dict.fromkeys(LOOKS | CHDIRS, "looked at"),
    **dict.fromkeys(REMOVES, "deleted"),
    **dict.fromkeys(OPENS, ""),
}
WAYS: dict[str, Way] = {
    name: Way("dirfd" if name in _AT else None, name not in _OF_LINKS, _USES[name]) for name in _PATHS
}
"""By the name of a call with one path."""
_MAKING = ("O_CREAT", "O_TRUNC", "O_EXCL")
_PLAIN = re.compile(r", [A-Z_|]*+(?>, 0[0-7]*+)?+").fullmatch


def making(call: Syscall) -> tuple[bool, bool, bool]:
    """Return whether an open creates the file, empties it, and fails where it exists: open(2)."""
    if call.name == "creat":
        return True, True, False
    creates, empties, excludes = _flags(call.body[call.body.rfind('"') + 1 :]) or map(call.has, _MAKING)
    return creates, empties, excludes


@lru_cache(maxsize=256)
def _flags(after: str) -> tuple[bool, bool, bool] | None:
    """Return which of `_MAKING` are among the flags after a path; None where the text is not plain flags."""
    if _PLAIN(after) is None:
        return None
    words = after.replace(",", "|").replace(" ", "").split("|")
    return "O_CREAT" in words, "O_TRUNC" in words, "O_EXCL" in words

"""Which calls `files` is about, and what each does with the path that it names."""

from __future__ import annotations

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

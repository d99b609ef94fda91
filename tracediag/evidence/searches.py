"""A file that is looked for in one directory after another: one failure, not as many as there are directories.

Programs look so for commands (PATH), libraries, modules (sys.path, @INC, node_modules) and headers; git and others look
upwards, from the working directory to the root.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from itertools import pairwise, takewhile

import msgspec

from tracediag.evidence.complaints import target
from tracediag.trace.calls import EXECS, LOOKS, OPENS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern

LOOKUPS = LOOKS | OPENS | EXECS
_MISSES = ("ENOENT", "ENOTDIR")
_FEWEST = 3
"""Directories that make a search: a file and its usual alternative are two."""


_FEWEST_OF_COMMANDS = 2
"""A command is looked for in PATH, which of a job of cron has two directories."""
_COMMANDS = lazy_pattern(r"/s?bin/[^/]++$")


class Search(msgspec.Struct, frozen=True):
    """A name that is in none of the directories in which it was looked for."""

    name: str
    """The end that all the paths have in common: "DBD/Oracle.pm", ".git"."""
    places: tuple[str, ...]
    """The directories, in the order of the search."""
    first: Syscall

    @property
    def upwards(self) -> bool:
        """Whether each directory is the parent of the one before."""
        return all(posixpath.dirname(low) == high for low, high in pairwise(self.places))

    @property
    def is_command(self) -> bool:
        """Whether a program is looked for along PATH."""
        return all(place.endswith("bin") for place in self.places)

    @property
    def told(self) -> str:
        """What the search shows, as a clause."""
        if self.upwards:
            return f"{self.name} is neither in {self.places[0]} nor in any directory above"
        return f"{self.name} is in none of the {len(self.places)} directories searched"

    @property
    def why(self) -> str:
        """What the failures mean together."""
        return (
            "a search tries one directory after another; each ENOENT only leads to the next one, and what fails is the "
            "search as a whole: execvp(3)"
        )

    @property
    def fix(self) -> str:
        """What helps."""
        if self.upwards:
            return f"run the program in or below the directory that has {self.name}, or create it where it belongs"
        return f"install what provides {self.name}, correct its name, or add its directory to the search path"


def search_of(call: Syscall, failures: Iterable[Syscall]) -> Search | None:
    """Return the search that a failed lookup is part of; None if the name was looked for in few directories."""
    path = target(call)
    if path is None or "/" not in path or not _misses(call):
        return None
    base = posixpath.basename(path)
    found: dict[str, Syscall] = {}
    for other in failures:
        known = target(other) if _misses(other) and base in other.body else None
        if known is not None and posixpath.basename(known) == base and known.startswith("/"):
            found.setdefault(known, other)
    command = all(map(_COMMANDS.search, found))
    if len(found) < (_FEWEST_OF_COMMANDS if command else _FEWEST) or path not in found:
        return None
    name = base if command else _shared_end(found)
    places = tuple(known[: -len(name)].rstrip("/") or "/" for known in found)
    return Search(name, places, next(iter(found.values())))


def _misses(call: Syscall) -> bool:
    return call.errno in _MISSES and call.name in LOOKUPS


def _shared_end(paths: Iterable[str]) -> str:
    """Return the last components that all paths have in common."""
    columns = zip(*(reversed(path.split("/")[1:]) for path in paths), strict=False)
    shared = [column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)]
    return "/".join(reversed(shared))

"""Shows where in the program a step was: `flush+0x2a (net.c:41) < main+0x5e (net.c:88)`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec

from tracediag.report.visible import visible
from tracediag.results.findings import Finding
from tracediag.results.stacks import own_frames, sources_of
from tracediag.trace.stacks import Frame

_MOST = 3
"""Own frames of a step that are shown; a JSON report has all."""
_LONGEST = 120
"""Characters of a function's name that are shown: those of C++ templates have no limit."""


class Place(msgspec.Struct, frozen=True):
    """A line of source code in the repository, or in the working directory where that is in none."""

    path: str
    """Relative to it."""
    line: int


def stack_of(stack: Sequence[Frame]) -> str:
    """Return the program's own innermost frames as one line of text; "" if there are none."""
    own = own_frames(stack)
    if not own:
        return ""
    more = f" < {len(own) - _MOST:,} more" if len(own) > _MOST else ""
    return f"{' < '.join(map(_shown, own[:_MOST]))}{more}"


def _shown(frame: Frame) -> str:
    name = frame.symbol if len(frame.symbol) <= _LONGEST else f"{frame.symbol[:_LONGEST]}…"
    if not name:
        name = f"{os.path.basename(frame.module)} [{frame.address:#x}]"  # noqa: PTH119 - also of "[vdso]"
    elif frame.offset is not None:
        name = f"{name}+{frame.offset:#x}"
    if frame.source is None or frame.line is None:
        return visible(name)
    below = inside(frame)
    source = os.path.basename(frame.source) if below is None else below  # noqa: PTH119
    return visible(f"{name} ({source}:{frame.line})")


def place_of(finding: Finding) -> Place | None:
    """Return the line of code that a finding is about: of the innermost own frame whose source file is there.

    None if the trace shows no stacks or no source files, or all of these are elsewhere.
    """
    for frame in sources_of(finding):
        path = inside(frame)
        if path is not None and frame.line is not None:
            return Place(path, frame.line)
    return None


def inside(frame: Frame) -> str | None:
    """Return the path of a source file below the repository; None if it is elsewhere."""
    if frame.source is None:
        return None
    try:
        root = _root(Path.cwd())
    except OSError:  # it was removed
        return None
    path = os.path.normpath(os.path.join(root, frame.source))  # noqa: PTH118
    if not path.startswith(root) or (not frame.source.startswith("/") and not os.path.lexists(path)):
        return None  # a relative one is relative to where it was compiled, which need not be here
    return path[len(root) :]


@cache
def _root(folder: Path) -> str:
    """Return the repository that a folder is in, else the folder itself, with a slash at the end."""
    found = next((each for each in (folder, *folder.parents) if os.path.lexists(each / ".git")), folder)
    return os.path.join(found, "")  # noqa: PTH118

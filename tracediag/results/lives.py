"""The results of `lives`: how objects of one kind lived, folded to shapes and counted."""

from __future__ import annotations

import msgspec

from tracediag.results.tables import Source

KINDS = ("connections", "files", "children")
"""What has lives, as `fold_lives` takes it."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """The objects that lived alike."""

    steps: tuple[str, ...]
    """What happened to them: kinds of calls, with the error of those that failed; repetitions are folded."""
    count: int
    first_line: int
    """The line at which the first of them was created."""
    last_line: int
    """The line of the last step of that first one."""
    example: str
    """The first of them, as a person names it: "fd 5 = TCP 127.0.0.1:80 <- 127.0.0.1:4242", "pid 12"."""
    differs: int | None = None
    """Of a rare shape: the index of the first step that the common shape does not have; None otherwise."""


class LifeGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The objects of one kind."""

    kind: str
    """"connections accepted", "connections made", "children" or "files"."""
    count: int
    common: Shape
    """The shape that most have."""
    odd: tuple[Shape, ...]
    """Rare shapes, where one shape is common: those with an error or a bad end first, then the rarest."""
    others: tuple[Shape, ...]
    """All other shapes, the most frequent first."""
    not_compared: int = 0
    """Objects whose shapes were not counted, because there were too many."""


class Lives(msgspec.Struct, frozen=True, kw_only=True):
    """The lives of the objects of one trace."""

    source: Source
    groups: tuple[LifeGroup, ...]

"""Pipes: two descriptions that belong together: pipe(7)."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracediag.events import Syscall


@dataclass(slots=True, eq=False)
class Pipe:
    """One pipe, with the last thing seen at each end."""

    made: Syscall | None = None
    inode: str | None = None
    """The number that `-y` shows, which ties both ends together across processes."""
    broken: Syscall | None = None
    """The first write that failed with EPIPE."""


@dataclass(slots=True, eq=False)
class PipeEnd:
    """One end of a pipe."""

    writing: bool
    pipe: Pipe = field(default_factory=Pipe)

"""Pipes: two descriptions that belong together: pipe(7)."""

from __future__ import annotations

import msgspec

from tracediag.events import Syscall


class Pipe(msgspec.Struct, eq=False):
    """One pipe, with the last thing seen at each end."""

    made: Syscall | None = None
    inode: str | None = None
    """The number that `-y` shows, which ties both ends together across processes."""
    broken: Syscall | None = None
    """The first write that failed with EPIPE."""


class PipeEnd(msgspec.Struct, eq=False):
    """One end of a pipe."""

    writing: bool
    pipe: Pipe = msgspec.field(default_factory=Pipe)

"""Pipes: two descriptions that belong together: pipe(7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracediag.trace.events import Syscall

if TYPE_CHECKING:
    from tracediag.kernel.descriptor import OpenFile


class Pipe(msgspec.Struct, eq=False):
    """One pipe, with the last thing seen at each end."""

    made: Syscall | None = None
    inode: int | None = None
    """The number that `-y` shows, which ties both ends together across processes."""
    reader: OpenFile | None = None
    """The first description met of its read end."""
    writer: OpenFile | None = None
    broken: Syscall | None = None
    """The first write that failed with EPIPE."""

    @property
    def referred(self) -> bool:
        """Whether any descriptor in the trace still refers to one of its ends."""
        return any(file is not None and file.referred for file in (self.reader, self.writer))


class PipeEnd(msgspec.Struct, eq=False):
    """One end of a pipe."""

    writing: bool | None
    """Which end it is; None for one that `-y` shows to be a pipe and that was neither read nor written at once."""
    pipe: Pipe = msgspec.field(default_factory=Pipe)

    @property
    def other(self) -> OpenFile | None:
        """The other end, where the trace shows it."""
        return None if self.writing is None else self.pipe.reader if self.writing else self.pipe.writer

    def direct(self, file: OpenFile, *, writing: bool) -> None:
        """Learn which end this is, from how it was made or is used."""
        self.writing = writing
        if writing:
            self.pipe.writer = self.pipe.writer or file
        else:
            self.pipe.reader = self.pipe.reader or file

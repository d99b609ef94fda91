"""Pipes: two descriptions that are the ends of one object: pipe(7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracediag.trace.events import Syscall

if TYPE_CHECKING:
    from tracediag.kernel.descriptor import OpenFile


class Pipe(msgspec.Struct, eq=False):
    """One pipe, with the last call seen at each end."""

    made: Syscall | None = None
    inode: int | None = None
    """The inode number that `-y` shows; it identifies the pipe across processes."""
    reader: OpenFile | None = None
    """The first description seen of its read end."""
    writer: OpenFile | None = None
    broken: Syscall | None = None
    """The first write that failed with EPIPE."""

    @property
    def referred(self) -> bool:
        """Whether any descriptor in the trace still refers to either end."""
        return any(file is not None and file.referred for file in (self.reader, self.writer))


class PipeEnd(msgspec.Struct, eq=False):
    """One end of a pipe."""

    writing: bool | None
    """Which end it is; None if `-y` shows a pipe that was neither read nor written yet."""
    pipe: Pipe = msgspec.field(default_factory=Pipe)

    @property
    def other(self) -> OpenFile | None:
        """The other end, if the trace shows it."""
        return None if self.writing is None else self.pipe.reader if self.writing else self.pipe.writer

    def direct(self, file: OpenFile, *, writing: bool) -> None:
        """Set which end this is, from how it was created or used."""
        self.writing = writing
        if writing:
            self.pipe.writer = self.pipe.writer or file
        else:
            self.pipe.reader = self.pipe.reader or file

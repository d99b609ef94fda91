"""The working directories of a process: the one that it began with, and each change."""

from __future__ import annotations

import msgspec

from tracediag.kernel.process import Thread
from tracediag.overviews.places import learn_directory
from tracediag.results.tree import Move
from tracediag.trace.calls import CHDIRS
from tracediag.trace.events import Syscall

_MOST = 32
"""Changes that are kept: find(1) makes one for each directory."""


class Directories(msgspec.Struct, eq=False):
    """The working directories of one process, as far as the trace has shown them."""

    first: str | None = None
    moves: list[Move] = msgspec.field(default_factory=list)
    more: int = 0

    def take(self, thread: Thread, call: Syscall) -> None:
        """Process a call after the model has: chdir and fchdir change the directory, others may show it."""
        place = thread.place
        if call.name in CHDIRS:
            if call.failed or not call.returned:
                return
            if place.cwd is not None and place.cwd == self._last:
                return
            if len(self.moves) < _MOST:
                self.moves.append(Move(place.cwd, call.line))
            else:
                self.more += 1
        else:
            learn_directory(thread, call)
        if place.cwd is not None:
            self._learn(place.cwd)

    @property
    def _last(self) -> str | None:
        return self.moves[-1].path if self.moves else self.first

    def _learn(self, path: str) -> None:
        """Fill in the present directory where it was not known yet."""
        if not self.moves:
            self.first = self.first or path
        elif self.moves[-1].path is None and not self.more:
            self.moves[-1] = Move(path, self.moves[-1].line)

    def at(self, line: int) -> str | None:
        """Return the directory at an earlier line, which may have become known only later."""
        path = self.first
        for move in self.moves:
            if move.line > line:
                break
            path = move.path
        return path

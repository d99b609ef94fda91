"""The rows of open files: by the note on a descriptor, else by what the model holds under its number."""

from __future__ import annotations

from tracediag.kernel.descriptor import Kind, OpenFile
from tracediag.kernel.locating import location
from tracediag.kernel.process import Thread
from tracediag.overviews.files.paths import PLAIN_NOTE, noted_path
from tracediag.overviews.files.rows import Row, Rows
from tracediag.trace.events import Syscall

_KEPT = 1 << 12


class UnnotedError(Exception):
    """A descriptor that was used shows no note, in a trace whose others do."""


class OpenFiles:
    """Finds the row of the file that a descriptor stands for."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._last: dict[OpenFile, Row] = {}
        """The rows of the files opened last, for descriptors without a note."""
        self.noted = False
        """Whether every descriptor shows its file, so that no table of descriptors is needed."""

    def row(self, thread: Thread, call: Syscall, position: int = 0) -> Row | None:
        """Return the row of the file of a descriptor argument; None if its path is not known.

        Raises `UnnotedError` if the descriptor is without a note, although `noted`.
        """
        if position == 0 and (found := PLAIN_NOTE(call.body)) is not None:
            return self._rows.get(found[1], call.line)
        path = noted_path(call, position)
        if path is not None:
            return self._rows.get(path, call.line) if path else None
        number = call.number(position)
        if number is None or number < 0:
            return None
        if self.noted and call.errno is None:
            raise UnnotedError
        held = thread.process.table.get(number)
        return None if held is None else self._held(held.file, thread, call.line)

    def opened(self, thread: Thread, call: Syscall, row: Row) -> None:
        """Keep the row of the file that a call has opened."""
        number = None if self.noted else call.result
        held = None if number is None else thread.process.table.get(number)
        if held is not None and held.file.opened is call:
            self._keep(held.file, row)

    def _held(self, file: OpenFile, thread: Thread, line: int) -> Row | None:
        row = self._last.get(file)
        if row is None and file.kind is Kind.FILE and (path := location(file, thread) or file.path) is not None:
            row = self._keep(file, self._rows.get(path, line))
        return row

    def _keep(self, file: OpenFile, row: Row) -> Row:
        if len(self._last) >= _KEPT:
            self._last.clear()
        self._last[file] = row
        return row

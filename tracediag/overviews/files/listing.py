"""By path, what a trace shows of each file: read, written, created, replaced, deleted, executed, mapped, not found."""

from __future__ import annotations

import re
from collections.abc import Callable

from tracediag.evidence.names import program_name
from tracediag.kernel import Action, Kernel, apply, begun_calls
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.locating import location
from tracediag.overviews.counting.view import Progress
from tracediag.overviews.files.paths import given_path, learn_directory
from tracediag.overviews.files.rows import MISSING, Row, Rows
from tracediag.overviews.files.searches import Searches
from tracediag.overviews.files.ways import CALLS, MOVED, PAIRS, READS, WAYS, WRITES
from tracediag.overviews.sources import kernel_of, source_of
from tracediag.reading import AnySource, Reader
from tracediag.results.files import Files
from tracediag.snapshot import Snapshot
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.calls import FTRUNCATES, GETDENTS, MAPS, READLINKS, RENAMES, SENDFILES, SYMLINKS
from tracediag.trace.events import Syscall

_NOTE = re.compile(r"[0-9]{1,10}+<(/[^<>\\]*+)>").match
_MAPPED = re.compile(r"(?>[^,\"]++, ){4}[0-9]{1,10}+<(/[^<>\\]*+)>").match
_EXISTS = frozenset({"EEXIST", "ENODATA", "ENOTEMPTY", "EISDIR"})
"""Errors of a call on a path that exists: mkdir(2), getxattr(2), rmdir(2), open(2)."""
_KEPT = 1 << 12
_MAKING = ("O_CREAT", "O_TRUNC", "O_TMPFILE")


class _FileBuilder:
    """Builds the rows of one trace."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        kernel.left_out = MAPS
        self.rows = Rows()
        self.searches = Searches()
        self._open: dict[OpenFile, Row] = {}
        """The rows of the files opened last, for descriptors without a note."""
        self._last = ("", "")
        self._takers: dict[str, Callable[[Action, Syscall], None]] = {
            **dict.fromkeys(READS | WRITES | GETDENTS | FTRUNCATES, self._transfer),
            **dict.fromkeys(MOVED, self._move),
            **dict.fromkeys(MAPS, self._map),
            **dict.fromkeys(WAYS, self._path),
            **dict.fromkeys(PAIRS, self._pair),
        }

    def read(self, reader: Reader) -> None:
        """Process all events of a trace."""
        kernel, takers = self._kernel, self._takers
        for event in reader:
            action = apply(kernel, event)
            if isinstance(event, Syscall):
                taker = takers.get(event.name)
                if taker is not None and event.returned:
                    taker(action, event)

    def _program(self, action: Action) -> str:
        path = action.thread.process.program
        if path is None:
            return ""
        if self._last[0] != path:
            self._last = (path, program_name(path) or "")
        return self._last[1]

    def _held(self, descriptor: Descriptor | None, action: Action, line: int) -> Row | None:
        """Return the row of an open file; None if its path is not known."""
        if descriptor is None:
            return None
        file = descriptor.file
        row = self._open.get(file)
        if row is None and file.kind is Kind.FILE and (path := location(file, action.thread) or file.path) is not None:
            row = self._keep(file, self.rows.get(path, line))
        return row

    def _keep(self, file: OpenFile, row: Row) -> Row:
        if len(self._open) >= _KEPT:
            self._open.clear()
        self._open[file] = row
        return row

    def _noted(self, note: str, line: int) -> Row:
        return self.rows.get(note, line)

    def _transfer(self, action: Action, call: Syscall) -> None:
        found = _NOTE(call.body)
        row = (
            self._noted(found[1], call.line) if found is not None else self._held(action.descriptor, action, call.line)
        )
        if row is None:
            return
        row.by(self._program(action))
        if call.errno is not None:
            row.fail(call.errno)
        elif call.name in READS:
            row.read += call.result or 0
            row.use("read")
        elif call.name in WRITES:
            row.written += call.result or 0
            row.use("written")
        else:
            row.use("listed" if call.name in GETDENTS else "written")

    def _move(self, action: Action, call: Syscall) -> None:
        """Count data that the kernel moves: sendfile's first argument, copy_file_range's third is written to."""
        ends = (1, 0) if call.name in SENDFILES else (0, 2)
        for place, use in zip(ends, ("read", "written"), strict=True):
            number = call.number(place)
            held = None if number is None else action.thread.process.table.get(number)
            row = self._held(held, action, call.line)
            if row is None or not call.result or call.result < 0:
                continue
            row.by(self._program(action))
            row.use(use)
            if use == "read":
                row.read += call.result
            else:
                row.written += call.result

    def _map(self, action: Action, call: Syscall) -> None:
        if call.errno is not None or "MAP_ANONYMOUS, -1" in call.body:
            return
        found = _MAPPED(call.body)
        if found is not None:
            row: Row | None = self._noted(found[1], call.line)
        elif call.has("MAP_ANONYMOUS"):
            return
        else:
            number = call.number(4)
            held = None if number is None else action.thread.process.table.get(number)
            row = self._held(held, action, call.line)
        if row is not None:
            row.use("mapped")
            row.exists = True

    def _path(self, action: Action, call: Syscall) -> None:
        at, follows, use = WAYS[call.name]
        given = given_path(action, call, "path", at)
        if given is None:
            return
        errno = call.errno
        row = None
        if not use and errno is None and call.detail.startswith("/"):
            row = self.rows.get(parse_annotation(call.detail).path, call.line)
            self.rows.name(given, row)
            if action.thread.place.cwd is None:
                learn_directory(action.thread.place, call, given, row.path)
        if row is None:
            row = self.rows.get(given, call.line, follow=follows and not call.has("AT_SYMLINK_NOFOLLOW"))
        program = self._program(action)
        row.by(program)
        if errno is not None and not (errno == "EINVAL" and call.name in READLINKS):  # readlink(2): it is no link
            row.fail(errno)
            if errno in MISSING:
                row.exists = False
                self.searches.miss(action.thread.process, given, call.line, program)
            elif errno in _EXISTS:
                row.exists = True
            return
        if use:
            row.use(use)
        else:
            self._opened(action, call, row)
        row.exists = use != "deleted"
        self.searches.hit(action.thread.process, given)

    def _opened(self, action: Action, call: Syscall, row: Row) -> None:
        row.opens += 1
        row.use("opened")
        if call.name == "creat" or any(map(call.has, _MAKING)):
            fresh = call.has("O_EXCL") or row.exists is False
            creates, empties = call.name == "creat" or call.has("O_CREAT"), call.name == "creat" or call.has("O_TRUNC")
            if creates and fresh:
                row.use("created")
            elif empties:
                row.use("replaced" if row.exists or not creates else "created or replaced")
        number = call.result
        held = None if number is None else action.thread.process.table.get(number)
        if held is not None and held.file.opened is call:
            self._keep(held.file, row)

    def _pair(self, action: Action, call: Syscall) -> None:
        """Take a call that gives a file another name: the second path is the new one."""
        at = call.name.endswith(("at", "at2"))
        symbolic = call.name in SYMLINKS
        keys = ("path", "newpath", "linkpath")
        new_key = next((key for key in keys[1:] if key in call), "path")
        new = given_path(action, call, new_key, "newdirfd" if at else None)
        old = None if symbolic else given_path(action, call, "oldpath", "olddirfd" if at else None)
        program = self._program(action)
        rows = [None if path is None else self.rows.get(path, call.line, follow=False) for path in (old, new)]
        for row in rows:
            if row is not None:
                row.by(program)
        source, target = rows
        if call.errno is not None:
            blamed = source if call.errno in MISSING and source is not None else target
            if blamed is not None:
                blamed.fail(call.errno)
            return
        if target is not None:
            renamed = call.name in RENAMES
            target.use("replaced" if renamed and target.exists else "created")
            target.exists = True
            target.became = None
            if source is not None and renamed:
                target.came_from = source.path
                target.written += source.written
        if source is not None and call.name in RENAMES:
            source.use("renamed")
            source.became, source.exists = new, False


def list_files(trace: AnySource, progress: Progress | None = None, known: Snapshot | None = None) -> Files:
    """Read a trace, given as for `Reader`, and return what it shows of each file. Raises `UnreadableError`."""
    builder = _FileBuilder(kernel_of(trace, known))
    reader = Reader(trace, calls=CALLS, begun=begun_calls() & CALLS, failures=False, progress=progress)
    builder.read(reader)
    return Files(
        source=source_of(trace, reader),
        files=builder.rows.finish(),
        searches=builder.searches.finish(),
        left_out=builder.rows.left_out,
    )

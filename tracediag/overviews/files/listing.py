"""By path, what a trace shows of each file: read, written, created, replaced, deleted, executed, mapped, not found."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from itertools import islice

from tracediag.evidence.names import program_name
from tracediag.kernel import Kernel, apply, begun_calls, thread_of
from tracediag.kernel.process import Thread
from tracediag.overviews.counting.view import Progress
from tracediag.overviews.files.holding import OpenFiles, UnnotedError
from tracediag.overviews.files.paths import given_path, learn_directory
from tracediag.overviews.files.rows import MISSING, Row, Rows
from tracediag.overviews.files.searches import Searches
from tracediag.overviews.files.ways import CALLS, IDLE, LIVES, MOVED, OF_NUMBERS, PAIRS, READS, WAYS, WRITES, making
from tracediag.overviews.sources import is_repeatable, kernel_of, source_of
from tracediag.reading import AnySource, Reader
from tracediag.results.files import Files
from tracediag.snapshot import Snapshot
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.calls import EXECS, FTRUNCATES, GETDENTS, MAPS, OPENS, READLINKS, RENAMES, SENDFILES, SYMLINKS
from tracediag.trace.events import Event, Syscall

_FAIL_IDLY = OPENS | EXECS
"""Calls that change nothing where they fail."""
_EXISTS = frozenset({"EEXIST", "ENODATA", "ENOTEMPTY", "EISDIR"})
"""Errors of a call on a path that exists: mkdir(2), getxattr(2), rmdir(2), open(2)."""
_EMPTY = ', "", '
"""The path where a call is about the descriptor: AT_EMPTY_PATH."""


class _FileBuilder:
    """Builds the rows of one trace."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        kernel.left_out = MAPS
        self.rows = Rows()
        self.searches = Searches()
        self._open = OpenFiles(self.rows)
        self._last = ("", "")
        self._takers: dict[str, Callable[[Thread, Syscall], None]] = {
            **dict.fromkeys(READS, self._read),
            **dict.fromkeys(WRITES, self._write),
            **dict.fromkeys(GETDENTS, self._list),
            **dict.fromkeys(FTRUNCATES, self._truncate),
            **dict.fromkeys(MOVED, self._move),
            **dict.fromkeys(MAPS, self._map),
            **dict.fromkeys(WAYS, self._path),
            **dict.fromkeys(PAIRS, self._pair),
        }

    def read(self, reader: Reader, *, repeatable: bool) -> None:
        """Process all events of a trace.

        With `repeatable` the tables of descriptors are left out if the first lines show the file of each descriptor.
        Raises `UnnotedError` if a later one does not.
        """
        kernel, takers = self._kernel, self._takers
        needed: AbstractSet[str] = CALLS - IDLE
        events = iter(reader)
        for event in islice(events, 1):
            self._take(event)
            if repeatable and reader.dialect.has_fd_paths:
                self._open.noted, needed = True, LIVES
                reader.want_less(OF_NUMBERS)
        for event in events:
            if not isinstance(event, Syscall):
                apply(kernel, event)
                continue
            name = event.name
            if name in needed and (event.errno is None or name not in _FAIL_IDLY):
                thread = apply(kernel, event).thread
            else:
                thread = thread_of(kernel, event)
            taker = takers.get(name)
            if taker is not None and event.returned:
                taker(thread, event)

    def _take(self, event: Event) -> None:
        thread = apply(self._kernel, event).thread
        if isinstance(event, Syscall) and event.name in self._takers and event.returned:
            self._takers[event.name](thread, event)

    def _program(self, thread: Thread) -> str:
        path = thread.process.program
        if path is None:
            return ""
        if self._last[0] != path:
            self._last = (path, program_name(path) or "")
        return self._last[1]

    def _read(self, thread: Thread, call: Syscall) -> None:
        if (row := self._used(thread, call, "read")) is not None:
            row.read += call.result or 0

    def _write(self, thread: Thread, call: Syscall) -> None:
        if (row := self._used(thread, call, "written")) is not None:
            row.written += call.result or 0

    def _list(self, thread: Thread, call: Syscall) -> None:
        self._used(thread, call, "listed")

    def _truncate(self, thread: Thread, call: Syscall) -> None:
        self._used(thread, call, "written")

    def _used(self, thread: Thread, call: Syscall, use: str) -> Row | None:
        """Record how a call used the file of its first descriptor; return its row if the call succeeded."""
        row = self._open.row(thread, call)
        if row is None:
            return None
        row.by(self._program(thread))
        if call.errno is not None:
            row.fail(call.errno)
            return None
        row.use(use)
        return row

    def _move(self, thread: Thread, call: Syscall) -> None:
        """Count data that the kernel moves: sendfile's first argument, copy_file_range's third is written to."""
        ends = (1, 0) if call.name in SENDFILES else (0, 2)
        for place, use in zip(ends, ("read", "written"), strict=True):
            row = self._open.row(thread, call, place)
            if row is None or not call.result or call.result < 0:
                continue
            row.by(self._program(thread))
            row.use(use)
            if use == "read":
                row.read += call.result
            else:
                row.written += call.result

    def _map(self, thread: Thread, call: Syscall) -> None:
        if call.errno is not None or "MAP_ANONYMOUS, -1" in call.body or call.has("MAP_ANONYMOUS"):
            return
        row = self._open.row(thread, call, 4)
        if row is not None:
            row.use("mapped")
            row.exists = True

    def _path(self, thread: Thread, call: Syscall) -> None:
        at, follows, use = WAYS[call.name]
        if at is not None and _EMPTY in call.body:
            return
        errno, rows, row = call.errno, self.rows, None
        if not use and errno is None and call.detail[:1] == "/":
            path = parse_annotation(call.detail).path
            row = rows.get(path, call.line)
            given = path if f'"{path}"' in call.body else given_path(thread, call, "path", at)
            if given is not None and given is not path:
                rows.name(given, row)
            if given is not None and (place := thread.place).cwd is None:
                learn_directory(place, call, given, path)
        else:
            given = given_path(thread, call, "path", at)
        if given is None:
            return
        if row is None:
            row = rows.get(given, call.line, follow=follows and not call.has("AT_SYMLINK_NOFOLLOW"))
        program = self._program(thread)
        row.by(program)
        if errno is not None and not (errno == "EINVAL" and call.name in READLINKS):  # readlink(2): it is no link
            row.fail(errno)
            if errno in MISSING:
                row.exists = False
                self.searches.miss(thread.process, given, call.line, program)
            elif errno in _EXISTS:
                row.exists = True
            return
        if use:
            row.use(use)
        else:
            self._opened(thread, call, row)
        row.exists = use != "deleted"
        self.searches.hit(thread.process, given)

    def _opened(self, thread: Thread, call: Syscall, row: Row) -> None:
        row.opens += 1
        row.use("opened")
        creates, empties, excludes = making(call)
        if creates and (excludes or row.exists is False):
            row.use("created")
        elif empties:
            row.use("replaced" if row.exists or not creates else "created or replaced")
        self._open.opened(thread, call, row)

    def _pair(self, thread: Thread, call: Syscall) -> None:
        """Take a call that gives a file another name: the second path is the new one."""
        at = call.name.endswith(("at", "at2"))
        symbolic = call.name in SYMLINKS
        keys = ("path", "newpath", "linkpath")
        new_key = next((key for key in keys[1:] if key in call), "path")
        new = given_path(thread, call, new_key, "newdirfd" if at else None)
        old = None if symbolic else given_path(thread, call, "oldpath", "olddirfd" if at else None)
        program = self._program(thread)
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
    try:
        return _list(trace, progress, known, repeatable=is_repeatable(trace))
    except UnnotedError:
        return _list(trace, progress, known, repeatable=False)


def _list(trace: AnySource, progress: Progress | None, known: Snapshot | None, *, repeatable: bool) -> Files:
    builder = _FileBuilder(kernel_of(trace, known))
    reader = Reader(trace, calls=CALLS, begun=begun_calls() & CALLS, failures=False, progress=progress)
    builder.read(reader, repeatable=repeatable)
    return Files(
        source=source_of(trace, reader),
        files=builder.rows.finish(),
        searches=builder.searches.finish(),
        left_out=builder.rows.left_out,
    )

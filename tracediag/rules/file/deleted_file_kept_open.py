"""TD408: a deleted or replaced file is still open, and the process keeps writing to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import meaning
from tracediag.evidence.holders import holding, may_be_open
from tracediag.evidence.paths import name_of, places
from tracediag.evidence.scope import Scope
from tracediag.evidence.steps import birth, last_line, no
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.calls import (
    CLOSES,
    FILE_READS,
    FILE_WRITES,
    FSTATS,
    FSYNCS,
    FTRUNCATES,
    LINKS,
    POSITIONED,
    RENAMES,
    SEEKS,
    UNLINKS,
)
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.quantities import plural
from tracediag.trace.values import Annotated

_TEMPORARY = lazy_pattern(
    r"^/(?:tmp|var/tmp|dev|proc|memfd:|SYSV)|(?:^|/)\.?te?mp|te?mp[^/]*$|/#[^/]*$|(?:^|/)\.nfs", re.IGNORECASE
)
"""Files that are meant to have no name, or to be deleted soon."""

_NAMELESS = (">(deleted)", " (deleted)>")
"""How `-y` marks a deleted file, in current and in older versions of strace."""

_ON_FILES = FILE_READS | FILE_WRITES | POSITIONED | FSTATS | SEEKS | FSYNCS | FTRUNCATES
_GROWTH, _SECONDS = 256, 1.0
"""Fewer bytes than this, written within less than this time, are the last output of a program that cleans up."""
_LINKED_KEPT = 256


class _Gone(msgspec.Struct, eq=False):
    """The call that deleted or replaced a file."""

    call: Syscall
    taken: int
    """Bytes written to the file before."""
    own: bool
    """Whether the process that holds the file open made the call."""


class DeletedFileKeptOpen(Rule):
    """A file is deleted or replaced while a process has it open, and the process keeps writing to it."""

    code = "TD408"
    name = "deleted-file-kept-open"
    severity = Severity.WARNING
    summary = "a deleted file is still open and growing: its data cannot be read and its space is not freed"
    rests_on = CLOSES

    def __init__(self) -> None:
        self._moved: Cases[OpenFile, str] = Cases()
        """The paths that open files were renamed to."""
        self._gone: Cases[OpenFile, _Gone] = Cases()
        """The open files that were deleted or replaced."""
        self._reported: Cases[OpenFile, None] = Cases()
        self._linked: dict[str, None] = {}
        """The names of files that have a second name by link(2): removing one name does not delete the file."""

    @on_call(*LINKS)
    def linked(self, action: Action) -> None:
        """Remember files that have several names."""
        for path in places(action.call, action.process):
            self._linked[name_of(path)] = None
        while len(self._linked) > _LINKED_KEPT:
            del self._linked[next(iter(self._linked))]

    @on_call(*UNLINKS)
    def removed(self, action: Action) -> None:
        """Mark the open files that this deletes."""
        call = action.call
        if call.result == 0 and not call.has("AT_REMOVEDIR") and may_be_open(action, self._moved):
            self._lose(action, next(iter(places(call, action.process)), ""))

    @on_call(*RENAMES)
    def renamed(self, action: Action) -> None:
        """Mark the open files that had the new name; those that had the old name now have the new one."""
        paths = places(action.call, action.process)
        if action.call.result != 0 or len(paths) != 2 or action.call.has("RENAME_EXCHANGE"):
            return
        self._lose(action, paths[1])
        for descriptor, _ in holding(action, paths[0], self._moved):
            self._moved[descriptor.file] = paths[1]

    def _lose(self, action: Action, path: str) -> None:
        if path and name_of(path) not in self._linked:
            for descriptor, table in holding(action, path, self._moved):
                file = descriptor.file
                if file not in self._gone:
                    own = action.process.table is table
                    self._gone[file] = _Gone(action.call, file.taken, own)

    @on_errno("ENOENT", "ESTALE", of=_ON_FILES)
    def stale(self, action: Action) -> Iterator[Finding]:
        """Report the first call that fails on a deleted file: NFS and some FUSE file systems do not keep it."""
        call = action.call
        descriptor = action.descriptor or action.process.table.get(call.number(0) or 0)
        gone: _Gone | None = None if descriptor is None else self._gone.pop(descriptor.file)
        if descriptor is not None and gone is not None:
            yield self._stale(descriptor, gone, call)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the files that were open until the process or the trace ended."""
        yield from self._judged(end.held, end.kernel)

    def _judged(self, held: Iterable[Descriptor], kernel: Kernel) -> Iterator[Finding]:
        for descriptor in held:
            file = descriptor.file
            if file.written is None or file.kind is not Kind.FILE or file in self._reported or any(descriptor.others):
                continue
            gone = self._gone.get(file)
            if gone is not None or any(mark in file.written.body for mark in _NAMELESS):
                confidence = _weigh(file, file.written, gone, self.scope)
                if confidence is not None:
                    yield self._finding(descriptor, file.written, gone, confidence, kernel)
                    self._reported[file] = None

    def _finding(
        self, descriptor: Descriptor, written: Syscall, gone: _Gone | None, confidence: Confidence, kernel: Kernel
    ) -> Finding:
        number, path = descriptor.number, descriptor.file.path or "the path"
        how = "deleted" if gone is None or gone.call.name in UNLINKS else "replaced"
        until = descriptor.closed or last_line(kernel)
        return self.finding(
            _story(descriptor, written, gone),
            object=describe(descriptor),
            title=f"{name(descriptor)} keeps growing after the file was {how}: new data cannot be read under that path"
            " and the space is not freed",
            # The program may have deleted the file on purpose if nothing else is known about it.
            severity=Severity.NOTE if confidence is Confidence.POSSIBLE else Severity.WARNING,
            confidence=confidence,
            absent=[no(f"close of fd {number}, no reopen of {path}", written if gone is None else gone.call, until)],
            why="a file without a name keeps its disk space until the last descriptor that refers to it is closed; df"
            " counts that space, du does not: unlink(2)",
            fix=f"close fd {number} and reopen {path} when the file is rotated (on SIGHUP from logrotate's postrotate,"
            " or when stat and fstat report different st_ino); until then, lsof +L1 lists deleted open files, and a"
            " restart of the process frees the space",
        )

    def _stale(self, descriptor: Descriptor, gone: _Gone, call: Syscall) -> Finding:
        return self.finding(
            [
                *birth(descriptor),
                step(gone.call, _loss(descriptor, gone)),
                step(
                    call, f"{call.name} fails: this file system does not keep deleted files that are open", primary=True
                ),
            ],
            object=describe(descriptor),
            title=f"{call.name} on {name(descriptor)} fails ({meaning(call.errno or '')}): the file was deleted while"
            " open",
            severity=Severity.ERROR,
            confidence=Confidence.CERTAIN,
            why="a local file system keeps a deleted file until the last close; NFS does so only if the same client"
            ' deletes it, and FUSE only if its server does: unlink(2), "BUGS"',
            fix=f"close fd {descriptor.number} before the file is deleted, or keep the file on a local disk",
            explains=[("failed-call-behind-exit", call.line), ("stale-file-handle", call.line)],
        )


def _weigh(file: OpenFile, written: Syscall, gone: _Gone | None, scope: Scope) -> Confidence | None:
    """Return how sure it is that the file should have been closed; None if it is meant to have no name."""
    path = file.path or ""
    opened = "" if file.opened is None else file.opened.body
    if _TEMPORARY.search(path) or "O_TMPFILE" in opened:
        return None
    if gone is None:
        return _by_note(written, file, path, scope)
    if gone.own and not gone.taken:
        return None  # the idiom for a temporary file: created, deleted, then used
    grown = file.taken - gone.taken
    seconds = 0.0 if written.time is None or gone.call.time is None else written.time - gone.call.time
    if written.line < gone.call.line or (grown < _GROWTH and (seconds < _SECONDS or not grown)):
        return None
    return Confidence.LIKELY if gone.own else Confidence.CERTAIN


def _by_note(written: Syscall, file: OpenFile, path: str, scope: Scope) -> Confidence | None:
    """Judge by the `(deleted)` of `-y`, where the trace does not show the call that deleted the file."""
    first = written.arg(0)
    nameless = isinstance(first, Annotated) and parse_annotation(first.note, first.deleted).deleted
    if not nameless or (file.taken < _GROWTH and not scope.is_excerpt):
        return None
    appended = file.opened is not None and file.opened.has("O_APPEND")
    return Confidence.LIKELY if appended or "log" in path.lower() else Confidence.POSSIBLE


def _story(descriptor: Descriptor, written: Syscall, gone: _Gone | None) -> Iterator[Step]:
    file = descriptor.file
    yield from birth(descriptor)
    if gone is None:
        yield step(
            written, f"data is written to a deleted file: fd {descriptor.number} still refers to it", primary=True
        )
        return
    yield step(gone.call, _loss(descriptor, gone))
    grown = plural(file.taken - gone.taken, "byte")
    yield step(written, f"the last of {grown} written since then to a file without a name", primary=True)


def _loss(descriptor: Descriptor, gone: _Gone) -> str:
    how = "the file is deleted" if gone.call.name in UNLINKS else "another file takes this name"
    return f"{how} while fd {descriptor.number} is open"

"""TD406: a file is replaced by rename, and the data of the new file was not synced."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import target
from tracediag.evidence.paths import name_of, path_of, places, same
from tracediag.evidence.runs import Run
from tracediag.evidence.steps import no
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end
from tracediag.trace.calls import CLOSES, LOOKS, OPENS, RENAMES, SYNCS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.quantities import plural

_TEMPORARY = lazy_pattern(r"te?mp|new|swp|swap|lock|^[.#]|~$", re.IGNORECASE)
"""Temporary names of files that are to replace others."""
_RANDOM = re.compile(r"(?=[A-Za-z0-9]*[A-Z])(?=[A-Za-z0-9]*[a-z])[A-Za-z0-9]{6}$")
"""A name, or the end of one after a dot, that mkstemp(3) makes."""

_REPRODUCIBLE = lazy_pattern(
    r"^/(?:tmp|run|dev|proc|sys|var/(?:tmp|run|cache|lib/apt))/"
    r"|(?:^|/)(?:__pycache__|\.?c?caches?|\.git|objects|CMakeFiles|node_modules|site-packages|dist-packages|partial)/"
    r"|(?:^|/)(?:build|target/(?:debug|release))/"
    r"|\.(?:py[co]|o|obj|l?a|lo|so(?:\.[\d.]+)?|d|class|rlib|rmeta|[gp]ch|elc|mo|gc(?:da|no)|cache|lock|pid|part)$",
    re.IGNORECASE,
)
"""Files that are made again if lost: caches, compiler output, downloads, files that do not outlive a restart."""

_NO_SYNC_NEEDED = ("O_SYNC", "O_DSYNC", "O_APPEND")
"""Each write waits for its data to reach the disk, or the file is a log: open(2)."""
_NEXT = 2
_NAMES_KEPT = 4096
_TARGETS_KEPT = 32


class _Replaced(msgspec.Struct, eq=False):
    """A file whose data was not synced when it was renamed into place."""

    source: Descriptor
    renames: Run
    """The rename, and later ones to the same name."""
    old: str
    new: str
    confidence: Confidence


class ReplaceWithoutFsync(Rule):
    """A new file is written, closed and renamed over the old one, all without fsync."""

    code = "TD406"
    name = "replace-without-fsync"
    severity = Severity.NOTE
    summary = "a file is replaced by rename without fsync: it may be empty after a power failure"
    rests_on = CLOSES

    def __init__(self) -> None:
        self._replaced: Cases[Process, dict[str, _Replaced]] = Cases()
        self._made: Cases[Process, set[str]] = Cases()
        """The names that renames created: nothing was replaced."""
        self._synced: dict[str, Syscall] = {}
        """The last attempt to sync each file or directory, by the last part of its path."""
        self._all: Syscall | None = None
        """The last sync of entire file systems, or of an unknown file."""
        self._hidden = False
        """Whether an io_uring is in use: its requests are not in the trace."""

    @on_call(*SYNCS)
    def synced(self, action: Action) -> None:
        """Remember what is synced; fsync-error-ignored looks at failures."""
        call = action.call
        held = action.descriptor
        path = None if held is None or call.name == "syncfs" else held.file.path
        if path is None:
            self._all = call
            return
        self._synced.pop(name_of(path), None)
        self._synced[name_of(path)] = call
        if len(self._synced) > _NAMES_KEPT:
            del self._synced[next(iter(self._synced))]

    @on_call("io_uring_setup")
    def hid(self, action: Action) -> None:
        """Note that the program may sync where strace does not see it."""
        self._hidden = self._hidden or not action.call.failed

    @on_call(*RENAMES)
    def renamed(self, action: Action) -> None:
        """Look for the renamed file among those that the process has written."""
        call, process = action.call, action.process
        paths = places(call, process)
        if call.result != 0 or len(paths) != 2 or call.has("RENAME_NOREPLACE") or _REPRODUCIBLE.search(paths[1]):
            return
        source = _written(process, paths[0], call.line)
        if source is None or not _replaces(source, paths[0], paths[1]):
            return
        made = self._made.setdefault(process, set())
        if paths[1] not in made and len(made) < _TARGETS_KEPT and _was_absent(process, paths[1]):
            made.add(paths[1])
            return
        kept = self._replaced.setdefault(process, {})
        known = kept.get(paths[1])
        if known is not None:
            known.renames.add(call)
        elif len(kept) < _TARGETS_KEPT:
            kept[paths[1]] = _Replaced(source, Run(call, call), *paths, _sure(source, process))

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge when the process can no longer sync the files."""
        kept: dict[str, _Replaced] = self._replaced.pop(end.process, {})
        for found in kept.values():
            opened = found.source.opened
            if not self._hidden and not self._since(opened.line if opened is not None else 0, found):
                yield self._finding(found)

    def _since(self, line: int, found: _Replaced) -> bool:
        """Whether the data was synced after the file was created, under its old name or its new one."""
        attempts = (self._all, self._synced.get(name_of(found.old)), self._synced.get(name_of(found.new)))
        return any(call is not None and call.line > line for call in attempts)

    def _finding(self, found: _Replaced) -> Finding:
        descriptor, rename = found.source, found.renames.first
        folder = posixpath.dirname(found.new) or "."
        directory = self._synced.get(name_of(folder)) if name_of(folder) not in ("", ".") else None
        # A program that syncs the directory expects the file to survive a power failure.
        meant = directory is not None and directory.line > rename.line
        return self.finding(
            [
                *_story(found),
                *([step(directory, "the directory is synced, the data is not")] if meant and directory else []),
            ],
            object=found.new,
            title=f"{found.new} is replaced by rename without fsync: after a power failure the file may be empty",
            severity=Severity.WARNING if meant else Severity.NOTE,
            confidence=found.confidence,
            absent=[no("fsync or fdatasync of the new file", descriptor.opened or rename, rename)],
            why="rename is atomic for other processes, but the new name may reach the disk before the data; only fsync"
            " waits for the data: rename(2), fsync(2)",
            fix=f"call fsync on fd {descriptor.number} and check the result before close and rename; then fsync the"
            f" directory ({folder}) so that the new name is on disk as well",
        )


def _written(process: Process, path: str, line: int) -> Descriptor | None:
    """Return the latest descriptor of the process through which a file of that path was written before a line."""
    table, name = process.table, name_of(path)
    found = None
    for descriptor in (*table.last_closed.values(), *table.open.values()):
        file = descriptor.file
        if file.written is None or not name:
            continue
        if file.known_path is None and file.opened is not None and name not in file.opened.body:
            continue  # most of them, and without parsing
        known = path_of(file, process)
        if known is None and _just_closed(descriptor, line):
            return descriptor
        newer = found is None or found.file.written is None or file.written.line > found.file.written.line
        if known is not None and newer and same(known, path):
            found = descriptor
    return found


def _just_closed(descriptor: Descriptor, line: int) -> bool:
    """Whether what was written before the trace shows its opening was closed just before a rename: its new content."""
    closed = descriptor.closed
    known = descriptor.file.kind is not Kind.UNKNOWN or descriptor.file.opened is not None
    return not known and closed is not None and 0 < line - closed.line <= _NEXT


def _was_absent(process: Process, path: str) -> bool:
    """Whether the program has looked for the new name and found nothing: then nothing is replaced."""
    missed = (call for call in process.failures if call.errno == "ENOENT" and call.name in LOOKS | OPENS)
    return any(path == posixpath.normpath(target(call) or "") for call in missed)


def _replaces(source: Descriptor, old: str, new: str) -> bool:
    """Whether a file was written to replace another, unlike a log that is rotated or mail that is delivered."""
    was, becomes = name_of(old), name_of(new)
    opened = source.file.opened
    likely = becomes in was or _TEMPORARY.search(was) is not None
    if becomes.startswith(was) or _REPRODUCIBLE.search(old):
        return False
    if opened is None:
        return likely or _RANDOM.match(was.rpartition(".")[2]) is not None
    if any(map(opened.has, _NO_SYNC_NEEDED)):
        return False
    exclusive = opened.has("O_EXCL")
    return exclusive or (likely and (opened.name == "creat" or opened.has("O_TRUNC")))


def _sure(source: Descriptor, process: Process) -> Confidence:
    """Return how sure it is that the recording would show an fsync: one with mmap and close likely has all calls."""
    picked = not process.space.mappings or source.opened is None or source.closed is None
    if source.file.path is None:
        return Confidence.POSSIBLE
    return Confidence.LIKELY if picked else Confidence.CERTAIN


def _story(found: _Replaced) -> Iterator[Step]:
    source = found.source
    if source.opened is not None:
        yield step(source.opened, f"fd {source.number} is created: a new file under a temporary name")
    if source.file.written is not None:
        yield step(source.file.written, f"the last of {plural(source.file.taken, 'byte')}: the data is still in memory")
    if isinstance(source.closed, Syscall):
        yield step(source.closed, "close does not write the data to disk")
    yield found.renames.together("the new file replaces the old one: the data may not be on disk yet", primary=True)

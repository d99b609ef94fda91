"""TD406: a file is replaced by a new one whose data nobody has brought to the disk."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from tracediag.evidence.paths import name_of, path_of, places, same
from tracediag.evidence.steps import no, repeated
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end
from tracediag.trace.calls import RENAMES, SYNCS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import plural

_TEMPORARY = re.compile(r"te?mp|new|swp|swap|lock|^[.#]|~$", re.IGNORECASE)
"""Names under which a file is written that is to take another's place."""

_MADE_ANEW = re.compile(
    r"^/(?:tmp|run|dev|proc|sys|var/(?:tmp|run|cache|lib/apt))/"
    r"|(?:^|/)(?:__pycache__|\.?c?caches?|\.git|objects|CMakeFiles|node_modules|site-packages|dist-packages|partial)/"
    r"|(?:^|/)(?:build|target/(?:debug|release))/"
    r"|\.(?:py[co]|o|obj|l?a|lo|so(?:\.[\d.]+)?|d|class|rlib|rmeta|[gp]ch|elc|mo|gc(?:da|no)|cache|lock|pid|part)$",
    re.IGNORECASE,
)
"""What is made again when it is lost: caches, what a compiler makes, downloads, files that do not outlive a restart."""

_NO_SYNC_NEEDED = ("O_SYNC", "O_DSYNC", "O_APPEND")
"""Each write brings its data to the disk, or the file is a log: open(2)."""
_NAMES_KEPT = 4096
_TARGETS_KEPT = 32


class _Replaced(msgspec.Struct, eq=False):
    """A file whose data was not synced when it took its name."""

    source: Descriptor
    rename: Syscall
    old: str
    new: str
    confidence: Confidence
    times: int = 1
    last: int = 0


class ReplaceWithoutFsync(Rule):
    """A new file is written, closed and renamed over the old one, all without fsync."""

    code = "TD406"
    name = "replace-without-fsync"
    severity = Severity.NOTE
    summary = "a file is replaced by rename, and the new data was not synced: empty after a power failure"

    def __init__(self) -> None:
        self._synced: dict[str, Syscall] = {}
        """The last attempt to sync a file or directory, by the last part of its name."""
        self._all: Syscall | None = None
        """The last sync of whole file systems, or of what is not known."""
        self._hidden = False
        """Whether an io_uring is in use: what goes through it is not in the trace."""

    @on_call(*SYNCS)
    def synced(self, action: Action) -> None:
        """Remember what is brought to the disk; whether that fails is the matter of another rule."""
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
        """Take note that calls may be made that strace does not see."""
        self._hidden = self._hidden or not action.call.failed

    @on_call(*RENAMES)
    def renamed(self, action: Action) -> None:
        """Look for the file that takes another's name among those that the process has written."""
        call, process = action.call, action.process
        paths = places(call, process)
        if call.result != 0 or len(paths) != 2 or call.has("RENAME_NOREPLACE") or _MADE_ANEW.search(paths[1]):
            return
        source = _written(process, paths[0])
        if source is None or not _takes_its_place(source, paths[0], paths[1]):
            return
        kept: dict[str, _Replaced] = process.memory.setdefault(self.name, {})
        known = kept.get(paths[1])
        if known is not None:
            known.times, known.last = known.times + 1, call.line
        elif len(kept) < _TARGETS_KEPT:
            kept[paths[1]] = _Replaced(source, call, *paths, _sure(source, process), last=call.line)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge when the process can no longer make up for it."""
        kept: dict[str, _Replaced] = end.process.memory.pop(self.name, {})
        for found in kept.values():
            opened = found.source.opened
            if not self._hidden and not self._since(opened.line if opened is not None else 0, found):
                yield self._finding(found)

    def _since(self, line: int, found: _Replaced) -> bool:
        """Whether the data was synced since the file was made, be it under its old name or its new one."""
        attempts = (self._all, self._synced.get(name_of(found.old)), self._synced.get(name_of(found.new)))
        return any(call is not None and call.line > line for call in attempts)

    def _finding(self, found: _Replaced) -> Finding:
        descriptor, rename = found.source, found.rename
        folder = posixpath.dirname(found.new) or "."
        directory = self._synced.get(name_of(folder)) if name_of(folder) not in ("", ".") else None
        # Who syncs the directory wants the file to be there after a power failure: that is what he does not get.
        meant = directory is not None and directory.line > rename.line
        return self.finding(
            [
                *_story(found),
                *([step(directory, "the new name is synced, its data is not")] if meant and directory else []),
            ],
            object=found.new,
            title="a file is replaced by a new one whose data was not synced: after a power failure it may be empty",
            severity=Severity.WARNING if meant else Severity.NOTE,
            confidence=found.confidence,
            absent=[no("fsync or fdatasync of the new file", descriptor.opened or rename, rename)],
            why="rename changes the name at once for all who look, but the disk may get the name before the data; only"
            " fsync waits for the data: rename(2), fsync(2)",
            fix=f"call fsync on fd {descriptor.number} before its close, and check its result, then rename; for the"
            f" name itself, fsync the directory ({folder}) after the rename",
        )


def _written(process: Process, path: str) -> Descriptor | None:
    """Return the latest descriptor of the process through which a file of that path was written."""
    table, name = process.table, name_of(path)
    found = None
    for descriptor in (*table.last_closed.values(), *table.open.values()):
        file = descriptor.file
        if file.written is None or not name:
            continue
        if file.known_path is None and file.opened is not None and name not in file.opened.body:
            continue  # most of them, and without parsing
        known = path_of(file, process)
        newer = found is None or found.file.written is None or file.written.line > found.file.written.line
        if known is not None and newer and same(known, path):
            found = descriptor
    return found


def _takes_its_place(source: Descriptor, old: str, new: str) -> bool:
    """Whether a file was made to replace another: not so a log that is put aside, or mail that is delivered."""
    was, becomes = name_of(old), name_of(new)
    opened = source.file.opened
    likely = becomes in was or _TEMPORARY.search(was) is not None
    if becomes.startswith(was) or _MADE_ANEW.search(old):
        return False
    if opened is None:
        return likely
    if any(map(opened.has, _NO_SYNC_NEEDED)):
        return False
    exclusive = opened.has("O_EXCL")
    return exclusive or (likely and (opened.name == "creat" or opened.has("O_TRUNC")))


def _sure(source: Descriptor, process: Process) -> Confidence:
    """Tell how sure it is that no fsync was left out: a trace that shows mmap and close is not picked by name."""
    picked = not process.space.mappings or source.opened is None or source.closed is None
    return Confidence.LIKELY if picked else Confidence.CERTAIN


def _story(found: _Replaced) -> Iterator[Step]:
    source = found.source
    if source.opened is not None:
        yield step(source.opened, f"fd {source.number} is a new file under a name of its own")
    if source.file.written is not None:
        yield step(source.file.written, f"the last of its {plural(source.file.taken, 'byte')} so far in memory")
    if isinstance(source.closed, Syscall):
        yield step(source.closed, "it is closed: that does not bring it to the disk")
    note = "it takes the other's name, while its data may not be on the disk"
    yield repeated(found.rename, note, found.times, found.last, primary=True)

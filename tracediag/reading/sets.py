"""The set of files that `strace -ff -o PREFIX` writes, one for each thread: PREFIX.PID.

Where the lines have times the files are merged by them, each line with its pid before it: what `strace-log-merge
PREFIX` prints, so that a line number is one of that output. Without times they are read one after the other.
"""

from __future__ import annotations

import heapq
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tracediag.reading.prefix import Clock, read_prefix
from tracediag.reading.sources import LINES, Progress, Source, Stream, UnreadableError, open_source
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern

_MEMBER = lazy_pattern(r"(?P<prefix>.+)\.(?P<pid>[0-9]{1,10})(?P<packing>\.(?:gz|xz|bz2|zst))?")
_BEHIND = lazy_pattern(r" ++[>|*=] ")
"""A stack frame or a line of a hex dump, which belongs to the record before it."""
_RUN = 64
_SHOWN = 3
"""How many damaged files are named."""

Key = tuple[float, str]
"""Time, then path: unique among the files that are read at one time."""


class ProcessSet:
    """One trace in many files."""

    is_file = True

    def __init__(self, prefix: str, members: Iterable[str]) -> None:
        """Open the members of a set; empty ones are left out. Raises `UnreadableError`."""
        self.name = prefix
        self._members = sorted((_pid(path), path) for path in members if not _is_empty(path))
        if not self._members:
            raise UnreadableError(prefix, "all its files are empty")
        self._consumed: dict[str, int] = {}
        self._damage: list[str] = []
        self._starts = {path: _first_time(path) for _, path in self._members}
        self.merged = None not in self._starts.values()
        """Whether the lines have times to merge by."""

    @property
    def damage(self) -> str | None:
        """What parts of the files could not be read."""
        shown = "; ".join(self._damage[:_SHOWN])
        more = len(self._damage) - _SHOWN
        return f"{shown}; and {more:,} more of its files" if more > 0 else shown or None

    def pieces(self, progress: Progress | None = None) -> Iterator[str]:
        """Yield the lines in order of time, each with its pid."""
        lines: list[str] = []
        for line in self._merged() if self.merged else self._one_by_one():
            lines.append(line)
            if len(lines) >= LINES:
                if progress is not None:
                    progress(sum(self._consumed.values()))
                yield "".join(lines)
                lines.clear()
        yield "".join(lines)
        if progress is not None:
            progress(sum(self._consumed.values()))

    def _one_by_one(self) -> Iterator[str]:
        for pid, path in self._members:
            for _, line in self._lines(pid, path):
                yield line

    def _merged(self) -> Iterator[str]:
        """Merge by time. A file is opened when its first line is due, as there may be more files than descriptors."""
        waiting = sorted((self._starts[path] or 0.0, pid, path) for pid, path in self._members)
        waiting.reverse()
        heap: list[tuple[Key, str, Iterator[tuple[Key, str]]]] = []
        while heap or waiting:
            while waiting and (not heap or waiting[-1][0] <= heap[0][0][0]):
                _, pid, path = waiting.pop()
                _push(heap, self._lines(pid, path))
            if heap:
                _, line, following = heapq.heappop(heap)
                yield line
                _push(heap, following)

    def _lines(self, pid: int, path: str) -> Iterator[tuple[Key, str]]:
        clock, when = Clock(), 0.0
        source = open_source(path)
        for line in _text(source, self._consumed, path):
            prefix = read_prefix(line[:_RUN])
            if prefix.kind in ("epoch", "clock"):
                when = clock.read(prefix.kind, prefix.stamp) or when
            yield (when, path), line if _BEHIND.match(line) else f"{pid} {line}"
        if source.damage is not None:
            self._damage.append(f"{os.path.basename(path)}: {source.damage}")  # noqa: PTH119

    def close(self) -> None:
        """Do nothing: each member is closed when it has been read."""


def _push(heap: list[tuple[Key, str, Iterator[tuple[Key, str]]]], lines: Iterator[tuple[Key, str]]) -> None:
    entry = next(lines, None)
    if entry is not None:
        heapq.heappush(heap, (*entry, lines))


def _text(source: Stream, consumed: dict[str, int], path: str) -> Iterator[str]:
    def note(count: int) -> None:
        consumed[path] = count

    for piece in source.pieces(note):
        yield from (f"{line}\n" for line in piece.split("\n")[:-1])


def _first_time(path: str) -> float | None:
    """Return the time of the first line, or None if it has none."""
    source = open_source(path)
    try:
        line = next(source.pieces(), "").partition("\n")[0]
    finally:
        source.close()
    if not line:  # nothing of it could be decompressed
        return 0.0
    prefix = read_prefix(line[:_RUN])
    return Clock().read(prefix.kind, prefix.stamp) if prefix.kind in ("epoch", "clock") else None


def _is_empty(path: str) -> bool:
    """Whether the file is empty: the log of a thread that was killed before its first call."""
    try:
        return os.stat(path).st_size == 0  # noqa: PTH116
    except OSError:
        return False  # opening it reports the reason


def _pid(path: str) -> int:
    found = _MEMBER.fullmatch(path)
    return 0 if found is None else checked_integer(found["pid"])


def members_of(prefix: str) -> list[str]:
    """Return the existing files PREFIX.PID."""
    folder = Path(prefix).parent
    start = f"{Path(prefix).name}."
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if path.name.startswith(start) and path.is_file())
    return [os.fspath(path) for path in found if _belongs(path.name, start)]


def _belongs(name: str, start: str) -> bool:
    found = _MEMBER.fullmatch(name)
    return found is not None and f"{found['prefix']}." == start


def grouped(paths: Sequence[str]) -> list[str | ProcessSet]:
    """Group those of several paths that are members of one set into one source, at the position of its first member."""
    families: dict[str, list[str]] = defaultdict(list)
    for path in dict.fromkeys(paths):
        found = _MEMBER.fullmatch(path)
        if found is not None:
            families[found["prefix"]].append(path)
    sources: list[str | ProcessSet] = []
    for path in paths:
        found = _MEMBER.fullmatch(path)
        family = [path] if found is None else families[found["prefix"]]
        if len(family) == 1:
            sources.append(path)
        elif path == family[0] and found is not None:
            sources.append(ProcessSet(found["prefix"], family))
    return sources


def open_set(prefix: str) -> Source:
    """Open the set PREFIX.PID. Raises `UnreadableError` if there is none."""
    members = members_of(prefix)
    if not members:
        raise UnreadableError(prefix, "no such file or directory")
    return ProcessSet(prefix, members)

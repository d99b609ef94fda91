"""The traced processes that have a file open when its name is removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tracediag.evidence.paths import name_of, path_of, same
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.process import Process
from tracediag.kernel.table import DescriptorTable

Moved = Mapping[OpenFile, str]
"""The paths that files were renamed to while they were open."""

_FILE = Kind.FILE
_MOST_OPEN = 1024
"""Most descriptors of a process that are searched for each file removed: the cost of `rm -r` is bounded."""


def may_be_open(action: Action, moved: Moved) -> bool:
    """Whether a process may have the file open that the call removes; without parsing: `rm -r` makes many."""
    body = action.call.body
    end = body.rfind('"')
    name = body[max(body.rfind("/", 0, end), body.rfind('"', 0, end)) + 1 : end]
    return "\\" in name or any(
        name in (held.file.known_path or name if held.file.opened is None else held.file.opened.body)
        or held.file in moved
        for process in _living(action)
        for held in process.table.open.values()
        if held.file.kind is _FILE
    )


def holding(action: Action, path: str, moved: Moved) -> Iterator[tuple[Descriptor, DescriptorTable]]:
    """Yield the descriptors of running processes that may write a file of that path, with their tables."""
    name = name_of(path)
    for process in _living(action) if name else ():
        for descriptor in process.table.open.values():
            if _is_of(descriptor.file, name, path, process, moved):
                yield descriptor, process.table


def _living(action: Action) -> list[Process]:
    """Return the running processes, one for each table; threads, which may be many, share a table."""
    threads = action.kernel.process_table.threads.values()
    tables = {thread.process.table: thread.process for thread in threads}
    return [process for process in tables.values() if len(process.table.open) <= _MOST_OPEN]


def _is_of(file: OpenFile, name: str, path: str, process: Process, moved: Moved) -> bool:
    if file.kind is not _FILE:
        return False
    now = moved.get(file)
    if now is not None:
        return same(now, path)
    opened = file.opened
    if opened is not None and (name not in opened.body or opened.has("O_RDONLY")):
        return False  # decides most cases without parsing
    known = path_of(file, process)
    return known is not None and same(known, path)

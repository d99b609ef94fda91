"""What `by` may name: the objects that the calls of a sequence have in common, and those that a call belongs to.

A call on a set (epoll_wait, poll, select) belongs to the objects that it reports.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from functools import cache
from typing import Any

import msgspec

from tracediag.evidence.named_paths import places_of, shown_path
from tracediag.kernel import Action
from tracediag.kernel.describe import describe, describe_file
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.locating import absolute, location
from tracediag.kernel.place import joined
from tracediag.kernel.process import Process
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.calls import SYSCALLS
from tracediag.trace.events import Syscall
from tracediag.trace.parameters import names
from tracediag.trace.values import note_of

_FILES = frozenset({Kind.FILE, Kind.MEMFD, Kind.DEVICE, Kind.UNKNOWN})
"""Kinds that have a path."""

_DIRECTORIES = frozenset({"dirfd", "olddirfd", "from_dirfd"})
_MOST = 4096
"""Processes whose working directory is remembered."""


@cache
def calls_with_directories() -> frozenset[str]:
    """Return the calls whose first argument is a directory, of which `Directories` learns."""
    return frozenset(call for call in SYSCALLS if (names(call) or ("",))[0] in _DIRECTORIES)


class Directories:
    """The working directories that notes have shown, for calls such as rename(2) that show none themselves."""

    def __init__(self) -> None:
        self._known: dict[Process, str] = {}

    def learn(self, action: Action) -> None:
        """Learn the working directory of a process from `AT_FDCWD</srv>`."""
        call = action.event
        if isinstance(call, Syscall) and call.body.startswith("AT_FDCWD<"):
            note = note_of(call.arg(0))
            if note is not None and note.startswith("/"):
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[action.process] = parse_annotation(note).path

    def of(self, process: Process | None) -> str | None:
        """Return the working directory of a process, or that of the parent that it was forked from."""
        while process is not None:
            if (found := self._known.get(process)) is not None:
                return found
            process = process.parent
        return None


Belongs = Callable[[Action, Directories], Iterator[tuple[Hashable, bool]]]
"""Yields the objects that a call belongs to, each with whether the call is a wait that reports it."""


class ObjectKind(msgspec.Struct, frozen=True):
    """One word that may follow `by`."""

    name: str
    doc: str
    of: Belongs
    by_path: bool = False
    """Whether it is a path, so that calls that show working directories must be seen as well."""
    of_threads: bool = False
    """Whether signals and ends belong to it as well as calls."""


def _descriptors(action: Action, directories: Directories) -> Iterator[tuple[Descriptor, bool]]:
    """Yield the descriptors that a call is made on, creates, releases or reports."""
    del directories
    for descriptor in (action.descriptor, *action.opened, *action.released):
        if descriptor is not None:
            yield descriptor, False
    if action.registration is not None:
        yield action.registration.descriptor, False
    if action.descriptor is None and not action.opened and isinstance(action.event, Syscall):
        number = action.event.number("fd")
        held = None if number is None else action.process.table.get(number)
        if held is not None:
            yield held, False
    if action.round is not None:
        for report in action.round.reports:
            if report.descriptor is not None:
                yield report.descriptor, True


def _descriptions(action: Action, directories: Directories) -> Iterator[tuple[OpenFile, bool]]:
    for descriptor, reported in _descriptors(action, directories):
        yield descriptor.file, reported
    if action.registration is not None:
        yield action.registration.file, False
    if action.round is not None:
        for report in action.round.reports:
            if report.registration is not None:
                yield report.registration.file, True


def _paths(action: Action, directories: Directories) -> Iterator[tuple[str, bool]]:
    call = action.event
    if not isinstance(call, Syscall):
        return
    for path, directory in places_of(call.name):
        found = absolute(call, action.thread, path, directory) or shown_path(call, path)
        if found and not found.startswith("/") and directory is None:
            base = directories.of(action.process)
            found = found if base is None else joined(base, found)
        if found:
            yield found, False


def _files(action: Action, directories: Directories) -> Iterator[tuple[str, bool]]:
    yield from _paths(action, directories)
    for file, reported in _descriptions(action, directories):
        if file.kind in _FILES and file.path is not None:
            yield location(file, action.thread) or file.path, reported


def _peers(action: Action, directories: Directories) -> Iterator[tuple[str, bool]]:
    for file, reported in _descriptions(action, directories):
        if file.socket is not None and file.socket.peer is not None:
            yield file.socket.peer, reported


def _process(action: Action, _directories: Directories) -> Iterator[tuple[Any, bool]]:
    yield action.process, False


def _thread(action: Action, _directories: Directories) -> Iterator[tuple[Any, bool]]:
    yield action.thread, False


OBJECTS: dict[str, ObjectKind] = {
    each.name: each
    for each in (
        ObjectKind("description", "an open file description: all descriptors that share it", _descriptions),
        ObjectKind("descriptor", "one incarnation of a number, until it is closed", _descriptors),
        ObjectKind("file", "a file by its path, named by a call or open", _files, by_path=True),
        ObjectKind("path", "a path that calls name", _paths, by_path=True),
        ObjectKind("peer", "the address of the other end", _peers),
        ObjectKind("process", "a process, all its threads", _process, of_threads=True),
        ObjectKind("thread", "a thread", _thread, of_threads=True),
    )
}
"""The words that may follow `by`."""


def name_of(key: Hashable) -> str:
    """Return an object as a person names it."""
    match key:
        case Descriptor():
            return describe(key)
        case OpenFile():
            held = next(iter(key.holders), None)
            return describe(held) if held is not None else describe_file(key) or "a description"
        case Process(pid=pid):
            return "the process" if pid is None else f"pid {pid}"
        case str():
            return key
        case _:
            tid = getattr(key, "tid", None)
            return "the thread" if tid is None else f"thread {tid}"

"""What `by` may name: the objects that the calls of a sequence have in common, and those that a call belongs to.

A call on a set (epoll_wait, poll, select) belongs to the objects that it reports.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import msgspec

from tracediag.kernel import Action
from tracediag.kernel.describe import describe, describe_file
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.process import Process
from tracediag.query.paths import paths_of
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.events import Syscall
from tracediag.trace.values import note_of, text_of

_MOST = 4096
"""Processes whose working directory is remembered."""
_HERE = "AT_FDCWD<"


class Places:
    """The working directories that a trace has shown: a relative path may name the same file as an absolute one."""

    def __init__(self) -> None:
        self._directories: dict[Process, str] = {}

    def learn(self, action: Action) -> None:
        """Learn the working directory of a process from `AT_FDCWD</srv>`, getcwd or chdir."""
        call = action.event
        if not isinstance(call, Syscall):
            return
        if call.body.startswith(_HERE):
            note = note_of(call.arg(0))
            if note is not None:
                self._learn(action.process, parse_annotation(note).path)
        elif call.name == "chdir" and call.errno is None and (path := text_of(call.arg(0))) is not None:
            self._learn(action.process, self.absolute(str(path), action.process))

    def _learn(self, process: Process, directory: str) -> None:
        if directory.startswith("/"):
            if process not in self._directories and len(self._directories) >= _MOST:
                del self._directories[next(iter(self._directories))]
            self._directories[process] = directory

    def absolute(self, path: str, process: Process) -> str:
        """Return a path joined to the working directory of a process, if that is known, without `.` and `..`."""
        if not path.startswith("/"):
            path = posixpath.join(self._of(process) or "", path)
        return posixpath.normpath(path)

    def _of(self, process: Process | None) -> str | None:
        while process is not None:
            if (found := self._directories.get(process)) is not None:
                return found
            process = process.parent
        return None


Belongs = Callable[[Action, Places], Iterator[tuple[Hashable, bool]]]
"""Yields the objects that a call belongs to, each with whether the call is a wait that reports it."""


class ObjectKind(msgspec.Struct, frozen=True):
    """One word that may follow `by`."""

    name: str
    doc: str
    of: Belongs


def _descriptors(action: Action, _places: Places) -> Iterator[tuple[Descriptor, bool]]:
    """Yield the descriptors that a call is made on, creates, releases or reports."""
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


def _descriptions(action: Action, places: Places) -> Iterator[tuple[OpenFile, bool]]:
    for descriptor, reported in _descriptors(action, places):
        yield descriptor.file, reported
    if action.registration is not None:
        yield action.registration.file, False
    if action.round is not None:
        for report in action.round.reports:
            if report.registration is not None:
                yield report.registration.file, True


def _paths(action: Action, places: Places) -> Iterator[tuple[str, bool]]:
    for path in paths_of(action.call):
        if path:
            yield places.absolute(path, action.process), False


def _files(action: Action, places: Places) -> Iterator[tuple[str, bool]]:
    yield from _paths(action, places)
    for file, reported in _descriptions(action, places):
        path = file.path
        if path is not None and file.kind in (Kind.FILE, Kind.MEMFD, Kind.UNKNOWN):
            opened = file.opened
            first = paths_of(opened)[:1] if opened is not None and not path.startswith("/") else ()
            yield places.absolute(first[0] if first else path, action.process), reported


def _peers(action: Action, places: Places) -> Iterator[tuple[str, bool]]:
    for file, reported in _descriptions(action, places):
        if file.socket is not None and file.socket.peer is not None:
            yield file.socket.peer, reported


def _process(action: Action, _places: Places) -> Iterator[tuple[Any, bool]]:
    yield action.process, False


def _thread(action: Action, _places: Places) -> Iterator[tuple[Any, bool]]:
    yield action.thread, False


OBJECTS: dict[str, ObjectKind] = {
    each.name: each
    for each in (
        ObjectKind("description", "an open file description: all descriptors that share it", _descriptions),
        ObjectKind("descriptor", "one incarnation of a number, until it is closed", _descriptors),
        ObjectKind("file", "a file by its path, named by a call or open", _files),
        ObjectKind("path", "a path that calls name", _paths),
        ObjectKind("peer", "the address of the other end", _peers),
        ObjectKind("process", "a process, all its threads", _process),
        ObjectKind("thread", "a thread", _thread),
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

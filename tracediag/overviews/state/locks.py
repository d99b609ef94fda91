"""Which file locks are held: flock(2), and fcntl(2) with F_SETLK and F_OFD_SETLK.

A flock or OFD lock belongs to the open file description and ends with it. A POSIX lock belongs to the process: it ends
when the process closes *any* descriptor of that file, and it is not inherited by fork.
"""

from __future__ import annotations

import msgspec

from tracediag.evidence.paths import path_of
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.process import Process
from tracediag.trace.calls import CONTROLS
from tracediag.trace.events import Syscall
from tracediag.trace.values import Structure, bare, names_of, number_of

_SETS = ("F_SETLK", "F_SETLKW", "F_OFD_SETLK", "F_OFD_SETLKW", "F_SETLK64", "F_SETLKW64")
_TO_END = 0
"""The `l_len` of a lock to the end of the file, however long it becomes."""
_MOST = 4096
"""Locks that are remembered; a database holds a few hundred."""

Owner = OpenFile | Process
Bytes = tuple[int, int | None]
"""First byte, and the one after the last; None for no end."""


class Held(msgspec.Struct, frozen=True):
    """One lock."""

    kind: str
    exclusive: bool
    descriptor: Descriptor
    call: Syscall
    range: Bytes
    whence: str = "SEEK_SET"
    """Where a range counts from, if that is not the start of the file."""

    @property
    def shown(self) -> str:
        """The range in words."""
        first, after = self.range
        if not first and after is None:
            return "whole file"
        where = {"SEEK_CUR": " from the offset", "SEEK_END": " from the end"}.get(self.whence, "")
        return f"bytes {first:,}-{'' if after is None else f'{after - 1:,}'}{where}"


class Locks:
    """The locks held, by owner and file."""

    def __init__(self) -> None:
        self._held: dict[tuple[Owner, str | OpenFile], list[Held]] = {}

    def take(self, action: Action) -> None:
        """Process one event, after the kernel has."""
        event = action.event
        if self._held and action.released:
            self._released(action)
        if not isinstance(event, Syscall) or event.result != 0 or action.descriptor is None:
            return
        if event.name == "flock":
            self._flock(action.descriptor, event)
        elif event.name in CONTROLS and any(map(event.has, _SETS)):
            self._fcntl(action.process, action.descriptor, event)

    def of(self, process: Process) -> list[Held]:
        """Return the locks of a process: its own, and those of its open file descriptions."""
        files = {descriptor.file: descriptor for descriptor in process.table}
        found = []
        for (owner, _), locks in self._held.items():
            if owner is process:
                found += locks
            elif owner in files:
                found += [msgspec.structs.replace(lock, descriptor=files[owner]) for lock in locks]
        return sorted(found, key=lambda lock: lock.call.line)

    def _flock(self, descriptor: Descriptor, call: Syscall) -> None:
        key = (descriptor.file, "flock")
        asked = names_of(call.arg(1))
        self._held.pop(key, None)
        if "LOCK_UN" not in asked:
            self._put(key, [Held("flock", "LOCK_EX" in asked, descriptor, call, (0, None))])

    def _fcntl(self, process: Process, descriptor: Descriptor, call: Syscall) -> None:
        asked, lock = names_of(call.arg(1)), bare(call.arg(2))
        if not isinstance(lock, Structure):
            return
        private = any("OFD" in name for name in asked)
        file = path_of(descriptor.file, process) or descriptor.file
        key: tuple[Owner, str | OpenFile] = (descriptor.file if private else process, file)
        kinds, length = names_of(lock.get("l_type")), number_of(lock.get("l_len")) or _TO_END
        first = number_of(lock.get("l_start")) or 0
        first, length = (first + length, -length) if length < 0 else (first, length)
        span: Bytes = (first, first + length if length else None)
        whence = next(iter(names_of(lock.get("l_whence"))), "SEEK_SET")
        kept = [piece for held in self._held.get(key, ()) for piece in _without(held, span)]
        if "F_UNLCK" not in kinds:
            kind = "OFD" if private else "POSIX"
            kept.append(Held(kind, "F_WRLCK" in kinds, descriptor, call, span, whence))
        self._put(key, kept)

    def _put(self, key: tuple[Owner, str | OpenFile], locks: list[Held]) -> None:
        if locks and (key in self._held or len(self._held) < _MOST):
            self._held[key] = locks
        elif not locks:
            self._held.pop(key, None)

    def _released(self, action: Action) -> None:
        for descriptor in action.released:
            file = descriptor.file
            gone = not file.referred
            path = path_of(file, action.process) or file
            self._held.pop((action.process, path), None)
            if gone:
                self._held = {key: locks for key, locks in self._held.items() if key[0] is not file}


def _without(held: Held, span: Bytes) -> list[Held]:
    """Return what is left of a lock where another one, or an unlock, covers a range."""
    first, after = span
    begin, end = held.range
    if (after is not None and after <= begin) or (end is not None and first >= end):
        return [held]
    left = []
    if begin < first:
        left.append(msgspec.structs.replace(held, range=(begin, first)))
    if after is not None and (end is None or after < end):
        left.append(msgspec.structs.replace(held, range=(after, end)))
    return left

"""The locks of flock(2) that the trace shows: each belongs to an open file description, and ends with it."""

from __future__ import annotations

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.paths import path_of
from tracediag.kernel import Action, Kernel
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.process import Process
from tracediag.trace.events import Syscall


class FileLock(msgspec.Struct, frozen=True):
    """A lock that a flock call gave an open file description."""

    file: OpenFile
    call: Syscall
    process: Process
    """The process that made the call; every other that inherited the description keeps the lock too."""


class FileLocks:
    """The locks of one trace; a rule tells it of each flock call."""

    def __init__(self) -> None:
        self._held: Cases[OpenFile, FileLock] = Cases()

    @classmethod
    def held_in(cls, kernel: Kernel) -> FileLocks:
        """Return the locks that open file descriptions of running processes have now."""
        found = cls()
        for process in kernel.processes:
            for descriptor in process.table if process.exit is None else ():
                if descriptor.file.locked is not None:
                    call, owner = descriptor.file.locked
                    found._held[descriptor.file] = FileLock(descriptor.file, call, owner)
        return found

    def note(self, action: Action) -> None:
        """Note a flock call that has returned."""
        call, descriptor = action.call, action.descriptor
        if call.result != 0 or descriptor is None:
            return
        if call.has("LOCK_UN"):
            self._held.pop(descriptor.file, None)
        else:
            self._held[descriptor.file] = FileLock(descriptor.file, call, action.process)

    def on(self, file: OpenFile, process: Process) -> FileLock | None:
        """Return the lock on the same path that another open file description has: a process opened the file."""
        path = path_of(file, process)
        if path is None:
            return None
        for other, lock in self._held.items():
            if other is not file and path_of(other, lock.process) == path:
                return lock
        return None

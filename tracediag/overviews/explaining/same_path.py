"""What changed a path before and after a call on it: the program that created a file, the rename that replaced it."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator

from tracediag.evidence.named_paths import known_paths
from tracediag.kernel.process import Thread
from tracediag.trace.calls import CHMODS, CHOWNS, LINKS, MKDIRS, MKNODS, OPENS, REMOVES, RENAMES, SYMLINKS, TRUNCATES
from tracediag.trace.events import Syscall

_CHANGES = RENAMES | REMOVES | LINKS | SYMLINKS | MKDIRS | MKNODS | TRUNCATES | CHMODS | CHOWNS
_WRITING = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC")
_KEPT = 3
"""Calls on a path that are remembered."""
_PATHS = 4096


class SamePath:
    """The last calls that changed each path, by its absolute name, in whichever process."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, deque[Syscall]] = OrderedDict()

    def take(self, call: Syscall, thread: Thread) -> None:
        """Remember a call that changes what a path names."""
        if not _changes(call):
            return
        for path in named_paths(call, thread):
            self._calls.setdefault(path, deque(maxlen=_KEPT)).append(call)
            self._calls.move_to_end(path)
            if len(self._calls) > _PATHS:
                self._calls.popitem(last=False)

    def before(self, paths: set[str]) -> Iterator[Syscall]:
        """Yield the calls that changed one of these paths."""
        for path in paths:
            yield from self._calls.get(path, ())


def named_paths(call: Syscall, thread: Thread) -> set[str]:
    """Return the paths that a call names: the absolute ones, if the trace shows where they start."""
    found = known_paths(call, thread)
    return {path for path in found if path.startswith("/")} or found


def changes_one_of(paths: set[str], call: Syscall, thread: Thread) -> bool:
    """Whether a call changes one of these paths."""
    return bool(paths) and _changes(call) and not paths.isdisjoint(named_paths(call, thread))


def _changes(call: Syscall) -> bool:
    if call.errno is not None or not call.returned:
        return False
    return call.name in _CHANGES or (call.name in OPENS and any(map(call.has, _WRITING)))

"""TD005: an inotify watch that cannot report what happens."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from struct import Struct

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.names import subject
from tracediag.evidence.paths import places, same
from tracediag.evidence.waiters import killing_lines, stood_in, waited_for
from tracediag.kernel import Action
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end
from tracediag.trace.calls import RENAMES
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.values import Text, bare, names_of

_PSEUDO = ("/proc/", "/sys/")
_CONTROL_GROUPS = "/sys/fs/cgroup/"
"""There the kernel reports changes of some files: cgroups(7)."""
_GONE = 0x400 | 0x800 | 0x2000 | 0x8000
"""IN_DELETE_SELF, IN_MOVE_SELF, IN_UNMOUNT, IN_IGNORED: linux/inotify.h."""
_HEADER = 16
_EVENT = Struct("=iIII")
_MOST = 1024
"""Watches of one instance that are followed."""
_MOVED = frozenset({"IN_MOVED_TO", "IN_MOVE", "IN_ALL_EVENTS"})


class _Watch(msgspec.Struct, eq=False):
    """One entry of an inotify instance."""

    call: Syscall
    number: int
    path: str
    mask: frozenset[str]
    missed: Syscall | None = None
    """The last rename that moved a file into the directory, for which the mask has no event."""


class _Fault(msgspec.Struct, frozen=True):
    """Why a watch reports nothing more."""

    steps: tuple[Step, ...]
    said: str
    fix: str
    why: str


class WatchCannotMatch(Rule):
    """A program waits for events of a watch that reports none: by its place, its mask, or because its file is gone."""

    code = "TD005"
    name = "watch-cannot-match"
    severity = Severity.WARNING
    summary = "a program waits for an inotify watch that cannot report what happens"
    raised_by = (("inotify_add_watch",),)

    def __init__(self) -> None:
        self._watches: Cases[OpenFile, dict[str, _Watch]] = Cases(64)
        """The watches of each instance by path: a watch that is added again replaces the one that is gone."""

    @on_call("inotify_add_watch")
    def added(self, action: Action) -> None:
        """Note a watch."""
        call, file = action.call, action.process.table.file_of(action.call.number(0))
        path = call.path(1)
        if file is None or path is None or call.result is None or call.result < 0:
            return
        known, path = self._watches.setdefault(file, {}), _absolute(action, path)
        if path in known or len(known) < _MOST:
            known[path] = _Watch(call, call.result, path, names_of(call.arg(2)))

    @on_call("inotify_rm_watch")
    def removed(self, action: Action) -> None:
        """Forget a watch that the program itself removes."""
        file = action.process.table.file_of(action.call.number(0))
        known = (None if file is None else self._watches.get(file)) or {}
        number = action.call.number(1)
        for path in [path for path, watch in known.items() if watch.number == number]:
            del known[path]

    @on_call(*RENAMES)
    def renamed(self, action: Action) -> None:
        """Note a file that is moved into a watched directory."""
        if not self._watches or action.call.result != 0 or len(paths := places(action.call, action.process)) != 2:
            return
        old, new = (posixpath.dirname(_absolute(action, path)) for path in paths)
        for known in self._watches.values():
            for watch in known.values():
                if old != new and same(watch.path, new) and watch.mask and watch.mask.isdisjoint(_MOVED):
                    watch.missed = action.call

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the instance that a process waits for when it is stopped or the trace ends."""
        for call in stood_in(end) if self._watches else ():
            waited = waited_for(call) or frozenset()
            for held in (*end.held, *end.process.table.open.values()):
                known = self._watches.get(held.file)
                if known and waited == frozenset((held.number,)):
                    del self._watches[held.file]
                    yield from self._judged(end, call, held.file, known)

    def _judged(
        self, end: ProcessEnd, call: Syscall | Begun, file: OpenFile, known: dict[str, _Watch]
    ) -> Iterator[Finding]:
        for watch in known.values():
            fault = _fault(watch, file.got, known)
            if fault is None:
                continue
            yield self.finding(
                [
                    step(watch.call, f"{subject(end.process)} watches {watch.path}"),
                    *fault.steps,
                    step(call, "waits for events, and none comes", primary=True),
                ],
                object=watch.path,
                title=f"{subject(end.process)} waits for events of {watch.path}, {fault.said}",
                confidence=Confidence.LIKELY,
                why=fault.why,
                fix=fault.fix,
                explains=[("killed-from-outside", line) for line in killing_lines(end)],
            )
            return


def _fault(watch: _Watch, got: Syscall | None, known: dict[str, _Watch]) -> _Fault | None:
    """Return why a watch reports nothing more, if the trace shows it."""
    if got is None and watch.path.startswith(_PSEUDO) and not watch.path.startswith(_CONTROL_GROUPS):
        return _Fault(
            (),
            "of which the kernel reports no change",
            "read the file at intervals, or poll it for POLLPRI where the kernel supports that (proc(5), sysfs)",
            "files of /proc and /sys have no data of their own: inotify reports what programs do with them, but not new"
            " values of the kernel; inotify(7)",
        )
    if watch.missed is not None and (got is None or got.end_line < watch.missed.line > got.line):
        return _Fault(
            (step(watch.missed, f"a file is moved into {watch.path}"),),
            "but the mask lacks IN_MOVED_TO, the event for a file that is moved there",
            "add IN_MOVED_TO to the mask of inotify_add_watch",
            "rename creates no file and writes nothing: a file that is moved into a directory has IN_MOVED_TO only, not"
            " IN_CREATE, IN_MODIFY or IN_CLOSE_WRITE; inotify(7)",
        )
    if got is None or got.line < watch.call.line or watch.number not in _gone(got):
        return None
    directory = posixpath.dirname(watch.path) or "."
    return None if any(same(other.path, directory) for other in known.values()) else _ended(watch, got)


def _ended(watch: _Watch, got: Syscall) -> _Fault:
    """Return the fault of a watch that an event has reported as gone."""
    gone = step(got, "an event reports that the watch is gone: IN_IGNORED, IN_DELETE_SELF or IN_MOVE_SELF")
    if "IN_ONESHOT" in watch.mask:
        fix = "add the watch again after each event, or leave out IN_ONESHOT"
        why = "IN_ONESHOT removes a watch after its first event; inotify(7)"
        return _Fault((gone,), "but the watch ended with the first event", fix, why)
    return _Fault(
        (gone,),
        "but the watch ended with the file that was there",
        "on IN_IGNORED, IN_DELETE_SELF and IN_MOVE_SELF add the watch again; or watch the directory of"
        f" {watch.path} for IN_MOVED_TO, IN_CREATE and IN_CLOSE_WRITE",
        "a watch is on the inode, not on the path: editors and configuration tools replace a file by rename, and"
        " the watch ends with the old inode; inotify(7)",
    )


def _gone(got: Syscall) -> frozenset[int]:
    """Return the watches that the events of a read report as gone, as far as strace shows them."""
    shown = bare(got.arg(1))
    data = shown.data if isinstance(shown, Text) else b""
    found: set[int] = set()
    while len(data) >= _HEADER:
        number, mask, _, length = _EVENT.unpack_from(data)
        if mask & _GONE:
            found.add(number)
        data = data[_HEADER + length :]
    return frozenset(found)


def _absolute(action: Action, path: str) -> str:
    place = action.process.place
    return place.absolute(path, place.cwd) or path

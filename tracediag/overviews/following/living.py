"""The life of one process: its birth, programs, children, signals and end; not every call."""

from __future__ import annotations

from tracediag.evidence.exits import manner
from tracediag.kernel import Action, Kernel, apply
from tracediag.kernel.process import Process
from tracediag.overviews.counting.view import Progress
from tracediag.overviews.following.finder import NoSuchObjectError
from tracediag.overviews.following.log import Log
from tracediag.overviews.following.wanted import Asked
from tracediag.overviews.programs import program_of
from tracediag.overviews.sources import kernel_of
from tracediag.reading import Reader
from tracediag.results.following import Life
from tracediag.snapshot import Snapshot
from tracediag.trace.calls import CHDIRS, CHILD_WAITS, EXECS, EXITS, FORKS, SET_GROUPS, SET_USERS, SIGNAL_SENDS
from tracediag.trace.events import Event, Syscall
from tracediag.trace.records import Exit, Signal, Stop

_CHANGES = {
    "user": SET_USERS,
    "group": SET_GROUPS,
    "working directory": CHDIRS,
    "root directory": {"chroot"},
    "namespaces": {"unshare", "setns"},
    "session": {"setsid"},
    "process group": {"setpgid"},
}
_PIDS = 12
"""Pids that an error names."""


def follow_process(
    trace: str, asked: Asked, limit: int, progress: Progress | None = None, known: Snapshot | None = None
) -> Life:
    """Return what happened to a process. Raises `NoSuchObjectError` and `UnreadableError`."""
    follower = _Follower(asked.number, kernel_of(trace, known), limit)
    reader = Reader(trace, progress=progress)
    for event in reader:
        follower.take(event)
    happenings, left_out = follower.log.happenings()
    if not happenings and not follower.seen:
        shown = ", ".join(map(str, sorted(follower.pids)[:_PIDS])) or "none"
        more = " ..." if len(follower.pids) > _PIDS else ""
        raise NoSuchObjectError(f"the trace shows no process {asked.number}; it has {shown}{more}")
    return Life(
        path=trace,
        asked=str(asked),
        start=follower.start,
        ends=(),
        happenings=happenings,
        left_out=left_out,
        damage=reader.damage,
    )


class _Follower:
    def __init__(self, pid: int, kernel: Kernel, limit: int) -> None:
        self.log = Log(limit)
        self.pids: set[int] = set()
        self.seen = False
        self.start: float | None = None
        self._pid = pid
        self._kernel = kernel

    def take(self, event: Event) -> None:
        """Process the next event."""
        if self.start is None:
            self.start = event.time
        action = apply(self._kernel, event)
        process = action.process
        if process.pid is not None:
            self.pids.add(process.pid)
        own = process.is_called(self._pid)
        self.seen = self.seen or own
        note = self._own(event, action) if own else self._others(event, process)
        if note is not None:
            self.log.add(event, note)

    def _own(self, event: Event, action: Action) -> str | None:
        """Return the words for what the process does or what happens to it; None for a call of no weight here."""
        match event:
            case Signal():
                sender = "" if event.sender is None else f" from pid {event.sender}"
                return f"{event.name} arrives{sender}"
            case Stop():
                return f"stopped by {event.signal}"
            case Exit():
                last = action.process.exit is event
                return f"the process {manner(event)}" if last else f"thread {event.pid} ends"
            case Syscall():
                return _call(event)
            case _:
                return None

    def _others(self, event: Event, process: Process) -> str | None:
        """Return the words for what another process does to it."""
        if not isinstance(event, Syscall):
            return None
        if event.name in FORKS and event.result == self._pid:
            return f"pid {process.pid} creates it"
        if event.name in SIGNAL_SENDS and event.number(0) == self._pid and not event.failed:
            return f"pid {process.pid} sends it a signal"
        if event.name in CHILD_WAITS and process.reaped and process.reaped[-1].call is event:
            return f"pid {process.pid} reaps it" if process.reaped[-1].pid == self._pid else None
        return None


def _call(call: Syscall) -> str | None:
    if call.name in EXECS:
        program = program_of(call)
        return "fails to execute" if program is None else "executes another program"
    if call.name in FORKS and (call.result or 0) > 0:
        return f"creates {'thread' if call.has('CLONE_THREAD') else 'pid'} {call.result}"
    if call.name in SIGNAL_SENDS:
        return "sends a signal"
    if call.name in CHILD_WAITS and (call.result or 0) > 0:
        return f"reaps pid {call.result}"
    if call.name in EXITS:
        return "ends the process" if call.name == "exit_group" else "ends the thread"
    return None if call.failed or call.name == "prctl" else _change(call.name)


def _change(name: str) -> str | None:
    """Return what a call changes of its process, in words."""
    return next((f"changes its {what}" for what, names in _CHANGES.items() if name in names), None)
